/** Collects what is asked for in one turn of the event loop into few calls. */
export interface Batcher<Item, Answer> {
  add(item: Item): Promise<Answer>;
}

export interface BatcherOptions<Item, Answer> {
  /** What an item adds to its batch, in the unit of `maxWeight`. */
  readonly weightOf: (item: Item) => number;
  readonly maxWeight: number;
  readonly maxItems: number;
  /** Answers in the order of the items; an Error is the answer of one item. */
  readonly send: (items: readonly Item[]) => Promise<readonly (Answer | Error)[]>;
}

interface Waiting<Item, Answer> {
  readonly item: Item;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

export function createBatcher<Item, Answer>(
  options: BatcherOptions<Item, Answer>,
): Batcher<Item, Answer> {
  let waiting: Waiting<Item, Answer>[] = [];
  const flush = (): void => {
    const all = waiting;
    waiting = [];
    for (const batch of batches(all, options)) void send(batch, options);
  };
  return {
    add: (item) =>
      new Promise((resolve, reject) => {
        // After what this turn still adds.
        if (waiting.length === 0) setImmediate(flush);
        waiting.push({ item, resolve, reject });
      }),
  };
}

function* batches<Item, Answer>(
  all: readonly Waiting<Item, Answer>[],
  { weightOf, maxWeight, maxItems }: BatcherOptions<Item, Answer>,
): Generator<Waiting<Item, Answer>[]> {
  let batch: Waiting<Item, Answer>[] = [];
  let weight = 0;
  for (const each of all) {
    const more = weightOf(each.item);
    if (batch.length > 0 && (weight + more > maxWeight || batch.length >= maxItems)) {
      yield batch;
      batch = [];
      weight = 0;
    }
    batch.push(each);
    weight += more;
  }
  if (batch.length > 0) yield batch;
}

async function send<Item, Answer>(
  batch: readonly Waiting<Item, Answer>[],
  options: BatcherOptions<Item, Answer>,
): Promise<void> {
  try {
    const answers = await options.send(batch.map(({ item }) => item));
    for (const [index, { resolve, reject }] of batch.entries()) {
      const answer = answers[index];
      if (answer === undefined) reject(new Error("the batch has no answer for an item"));
      else if (answer instanceof Error) reject(answer);
      else resolve(answer);
    }
  } catch (error) {
    for (const { reject } of batch) reject(error);
  }
}

/** One attempt to store a version under a name, or to remove what is there. */
export interface Attempt {
  /** What is in its bytes, so that they say which they are. */
  readonly version: number;
  readonly bytes: Buffer;
  readonly removes: boolean;
  readonly startedAt: number;
  endedAt: number;
  /** False: it was refused, or broke off before its end; undefined: nobody knows (yet). */
  isDone: boolean | undefined;
}

/** What a server may hold, as those know it who stored it. */
export interface ArtifactModel {
  begin(place: string, sizeBytes: number): Attempt;
  beginRemoval(place: string): Attempt;
  end(attempt: Attempt, isDone: boolean | undefined): void;
  /** Why bytes that somebody got, who asked at `askedAt`, cannot be; undefined: they may. */
  problemOf(place: string, bytes: Buffer, askedAt: number): string | undefined;
  /** Whether something has to be there for who asks now. */
  isCertain(place: string): boolean;
}

export function createArtifactModel(): ArtifactModel {
  const attempts = new Map<string, Attempt[]>();
  let versions = 0;
  const of = (place: string): Attempt[] => {
    const found = attempts.get(place) ?? [];
    attempts.set(place, found);
    return found;
  };
  const add = (place: string, sizeBytes: number, removes: boolean): Attempt => {
    versions += 1;
    const attempt: Attempt = {
      version: versions,
      bytes: bytesOf(place, versions, sizeBytes),
      removes,
      startedAt: performance.now(),
      endedAt: Number.POSITIVE_INFINITY,
      isDone: undefined,
    };
    of(place).push(attempt);
    return attempt;
  };
  return {
    begin: (place, sizeBytes) => add(place, sizeBytes, false),
    beginRemoval: (place) => add(place, 0, true),
    end(attempt, isDone) {
      attempt.endedAt = performance.now();
      attempt.isDone = isDone;
    },
    problemOf(place, bytes, askedAt) {
      const found = of(place).find((each) => !each.removes && each.bytes.equals(bytes));
      const shown = bytes.toString("latin1", 0, 60);
      if (found === undefined) return `nobody stored it there: ${shown}`;
      if (found.isDone === false) return `it was never stored whole: ${shown}`;
      const later = of(place).find(
        (each) => each.isDone === true && each.startedAt > found.endedAt && each.endedAt < askedAt,
      );
      return later && `it is version ${found.version}, and ${later.version} came after it`;
    },
    isCertain(place) {
      const last = of(place).findLast((each) => each.isDone === true && !each.removes);
      return (
        last !== undefined &&
        !of(place).some((each) => each.removes && each.endedAt >= last.startedAt)
      );
    },
  };
}

function bytesOf(place: string, version: number, sizeBytes: number): Buffer {
  return Buffer.alloc(sizeBytes + 64, `${place} ${version} `);
}

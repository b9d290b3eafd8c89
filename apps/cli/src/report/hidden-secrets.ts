const hidden = new Set<string>();
let longestFirst: readonly string[] = [];

/** From now on `***` stands for these in all that we say ourselves: a message may name an argument, a path or a command that has one in it. */
export function hideSecrets(texts: Iterable<string>): void {
  const before = hidden.size;
  for (const text of texts) hidden.add(text).add(JSON.stringify(text).slice(1, -1));
  if (hidden.size > before)
    longestFirst = [...hidden].toSorted((left, right) => right.length - left.length);
}

export function withoutSecrets(text: string): string {
  return longestFirst.reduce((rest, secret) => rest.replaceAll(secret, "***"), text);
}

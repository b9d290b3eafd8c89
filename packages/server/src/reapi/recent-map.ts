export interface RecentMap<Key, Value> {
  get(key: Key): Value | undefined;
  set(key: Key, value: Value): void;
}

/** A map that keeps the `limit` keys that were set or asked for last. */
export function createRecentMap<Key, Value>(limit: number): RecentMap<Key, Value> {
  const map = new Map<Key, Value>();
  const set = (key: Key, value: Value): void => {
    map.delete(key);
    map.set(key, value);
    const [oldest] = map.keys();
    if (map.size > limit && oldest !== undefined) map.delete(oldest);
  };
  return {
    get(key) {
      const value = map.get(key);
      if (value !== undefined) set(key, value);
      return value;
    },
    set,
  };
}

/** Which job slot does what: who starts takes the lowest that is free. */
export interface JobLanes {
  /** From 1. */
  take(name: string): number;
  /** Undefined: it has none. */
  free(name: string): number | undefined;
  /** How many there were at once. */
  count(): number;
}

export function createJobLanes(): JobLanes {
  const lanes: (string | undefined)[] = [];
  return {
    take: (name) => {
      const hole = lanes.indexOf(undefined);
      const at = hole < 0 ? lanes.length : hole;
      lanes[at] = name;
      return at + 1;
    },
    free: (name) => {
      const at = lanes.indexOf(name);
      if (at < 0) return undefined;
      lanes[at] = undefined;
      return at + 1;
    },
    count: () => lanes.length,
  };
}

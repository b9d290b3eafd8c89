/** Code that counts which of its parts ran (stryker.config.mjs) is so many times slower. */
const slowness = Number(process.env["CUENV_MUTATION_SLOWNESS"] ?? 1);

/** The processor time that `run` takes (ms): unlike the time on the wall, it does not grow with what else the machine does. */
export function cpuMilliseconds(run: () => void): number {
  const before = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000 / slowness;
}

import { relative } from "node:path";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Those that take more than 10 s, the longest first: begun last, one of them would have the machine for itself in the end. */
const longest = [
  "test/faults/kill-sweep.test.ts",
  "test/e2e/why-mutations.test.ts",
  "test/examples/plain-project.test.ts",
  "test/builds/random-builds.test.ts",
  "test/faults/errors.test.ts",
  "test/e2e/turbo.test.ts",
  "test/e2e/watch.test.ts",
  "test/e2e/housekeeping-beside-builds.test.ts",
  "test/faults/edited-input.test.ts",
  "test/bench/bench.test.ts",
  "test/e2e/http-clients.test.ts",
  "test/e2e/remote.test.ts",
  "test/e2e/secret-nowhere.test.ts",
  "test/e2e/json-shapes.test.ts",
  "packages/cue/src/conforms-to-schema.test.ts",
  "test/faults/limits.test.ts",
  "test/e2e/why.test.ts",
  "packages/key/src/generate-cache-key.test.ts",
  "test/faults/stress.test.ts",
];

/** Those that want what CI builds meanwhile. */
const last = new Set(["packages/remote/src/bazel-remote.test.ts", "test/e2e/grpc-clients.test.ts"]);

/** A new clone knows no times from earlier runs, and the size of a test file says little. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    // oxlint-disable-next-line unicorn/no-array-sort -- it is no array's
    const others = await super.sort(files);
    return others.toSorted((left, right) => this.rank(left) - this.rank(right));
  }

  private rank({ moduleId }: TestSpecification): number {
    const file = relative(this.ctx.config.root, moduleId);
    if (last.has(file)) return longest.length + 1;
    const place = longest.indexOf(file);
    return place === -1 ? longest.length : place;
  }
}

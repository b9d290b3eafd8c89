import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

// The library's own tests import it by name; here that means its sources.
const source = fileURLToPath(new URL("src", import.meta.url));

export default defineConfig({
  test: {
    isolate: true,
    include: ["src/v4/core/tests/*.test.ts"],
    // These two bundle with a tool that this project does not have.
    exclude: ["**/polyfill-collision.test.ts", "**/treeshake.test.ts"],
    alias: [
      { find: "zod/compile", replacement: `${source}/compile.ts` },
      { find: /^zod\/(.+)$/, replacement: `${source}/$1/index.ts` },
      { find: /^zod$/, replacement: `${source}/index.ts` },
    ],
  },
});

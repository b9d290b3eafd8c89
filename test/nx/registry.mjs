// A registry that has some tarballs, and asks npm's own for everything else: `nx add` installs from a registry, and our packages are in none yet.
//   node registry.mjs UPSTREAM TARBALL…    prints its address once it listens
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import process from "node:process";

const [, , upstream, ...tarballs] = process.argv;
const packages = new Map(tarballs.map(published));

const server = createServer((request, response) => {
  answer(request.url ?? "", response).catch((error) => {
    response.writeHead(502).end(String(error));
  });
});
server.listen(0, "127.0.0.1", () => process.stdout.write(`${address()}\n`));
process.stdin.on("end", () => process.exit()).resume();

function address() {
  return `http://127.0.0.1:${server.address().port}`;
}

function published(file) {
  const { stdout } = spawnSync("tar", ["-xzOf", file, "package/package.json"], {
    encoding: "utf8",
  });
  const manifest = JSON.parse(stdout);
  const bytes = readFileSync(file);
  const integrity = `sha512-${createHash("sha512").update(bytes).digest("base64")}`;
  return [manifest.name, { manifest, bytes, integrity }];
}

async function answer(path, response) {
  const name = decodeURIComponent(path.slice(1));
  const tarball = packages.get(name.replace(/\/-\.tgz$/, ""));
  if (tarball !== undefined && name.endsWith("/-.tgz")) return response.end(tarball.bytes);
  const known = packages.get(name);
  if (known !== undefined) {
    const { manifest, integrity } = known;
    const { version } = manifest;
    const dist = { tarball: `${address()}/${manifest.name}/-.tgz`, integrity };
    const packument = {
      name: manifest.name,
      "dist-tags": { latest: version },
      versions: { [version]: { ...manifest, dist } },
    };
    response.setHeader("content-type", "application/json");
    return response.end(JSON.stringify(packument));
  }
  const found = await fetch(`${upstream.replace(/\/$/, "")}${path}`);
  response.writeHead(found.status, {
    "content-type": found.headers.get("content-type") ?? "application/octet-stream",
  });
  return response.end(Buffer.from(await found.arrayBuffer()));
}

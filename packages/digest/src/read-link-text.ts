import { readlinkSync } from "node:fs";

/**
 * The target of a symbolic link. One that is not UTF-8 is refused: as text it would be equal to others, and lead elsewhere when the link is made again.
 * @throws the system's error; one with code EILSEQ
 */
export function readLinkText(path: string): string {
  const target = readlinkSync(path);
  if (!target.includes("\uFFFD") || Buffer.from(target).equals(readlinkSync(path, "buffer")))
    return target;
  const reason = `the target of the link ${path} is not valid UTF-8`;
  throw Object.assign(new Error(reason), { code: "EILSEQ" });
}

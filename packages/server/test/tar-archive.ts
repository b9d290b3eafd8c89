import { gzipSync } from "node:zlib";

export interface Member {
  readonly path: string;
  readonly type?: string;
  readonly content?: Buffer | string;
  readonly target?: string;
  /** What the header says, where it is not the truth. */
  readonly sizeBytes?: number;
  /** Magic and version; default: those of POSIX. */
  readonly format?: string;
  readonly prefix?: string;
}

/** A tar archive, sound or not, byte by byte as it is told. */
export function tarArchive(members: readonly Member[]): Buffer {
  const blocks = members.flatMap((member) => {
    const { path, type = "0", content = "", target = "", sizeBytes, prefix = "" } = member;
    const body = Buffer.from(content);
    const header = Buffer.alloc(512);
    header.write(path, 0, 100);
    header.write("0000644\0", 100);
    header.write((sizeBytes ?? body.length).toString(8).padStart(11, "0"), 124);
    header.write("        ", 148);
    header.write(type, 156);
    header.write(target, 157, 100);
    header.write(member.format ?? "ustar\x0000", 257, "latin1");
    header.write(prefix, 345);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
    return [header, body, Buffer.alloc((512 - (body.length % 512)) % 512)];
  });
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

export const exitCode: Member = { path: "code", content: Buffer.alloc(4) };

/** As Nx makes it: outputs, then what was printed, then the exit code. */
export function nxArchive(members: readonly Member[] = []): Buffer {
  return gzipSync(
    tarArchive([...members, { path: "terminalOutput", content: "built\n" }, exitCode]),
  );
}

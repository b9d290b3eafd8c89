import type { Digest } from "@cuenv/digest";

/**
 * The messages that cuenv encodes itself, as plain data (REAPI v2 names, in camelCase). The generated code of all
 * messages is `@cuenv/reapi/messages`.
 */
export interface NameValue {
  readonly name: string;
  readonly value: string;
}

/** Also a file's `Platform`. Properties are sorted by name, then by value. */
export interface Platform {
  readonly properties: readonly NameValue[];
}

export interface FileNode {
  /** One path segment. */
  readonly name: string;
  readonly digest: Digest;
  readonly executable: boolean;
}

export interface DirectoryNode {
  readonly name: string;
  readonly digest: Digest;
}

export interface SymlinkNode {
  readonly name: string;
  readonly target: string;
}

export interface Directory {
  readonly files: readonly FileNode[];
  readonly directories: readonly DirectoryNode[];
  readonly symlinks: readonly SymlinkNode[];
}

/** `children` in the order given: parent before child makes it topologically sorted. */
export interface Tree {
  readonly root: Directory;
  readonly children: readonly Directory[];
}

export interface Command {
  readonly arguments: readonly string[];
  readonly environmentVariables: readonly NameValue[];
  readonly workingDirectory: string;
  readonly outputPaths: readonly string[];
}

export interface Action {
  readonly commandDigest: Digest;
  readonly inputRootDigest: Digest;
  readonly timeoutMs: number | undefined;
  readonly doNotCache: boolean;
  readonly salt: Uint8Array;
  readonly platform: Platform;
}

export interface OutputFile {
  readonly path: string;
  readonly digest: Digest;
  readonly executable: boolean;
}

export interface OutputDirectory {
  readonly path: string;
  readonly treeDigest: Digest;
  readonly topologicallySorted: boolean;
  readonly rootDirectoryDigest: Digest | undefined;
}

export interface OutputSymlink {
  readonly path: string;
  readonly target: string;
}

/** google.protobuf.Any. */
export interface AnyMessage {
  readonly typeUrl: string;
  readonly value: Uint8Array;
}

/** Times are milliseconds since the epoch. */
export interface ExecutionMetadata {
  readonly worker: string;
  readonly queuedMs?: number | undefined;
  readonly workerStartMs?: number | undefined;
  readonly workerCompletedMs?: number | undefined;
  readonly executionStartMs?: number | undefined;
  readonly executionCompletedMs?: number | undefined;
  readonly auxiliary?: readonly AnyMessage[] | undefined;
}

export interface ActionResult {
  readonly outputFiles: readonly OutputFile[];
  readonly outputDirectories: readonly OutputDirectory[];
  readonly outputSymlinks: readonly OutputSymlink[];
  readonly exitCode: number;
  readonly stdoutDigest: Digest | undefined;
  readonly stderrDigest: Digest | undefined;
  readonly stdoutRaw: Uint8Array | undefined;
  readonly stderrRaw: Uint8Array | undefined;
  readonly executionMetadata: ExecutionMetadata | undefined;
}

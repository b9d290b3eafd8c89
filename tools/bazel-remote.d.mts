export function bazelRemoteProgram(): Promise<string | undefined>;
export function startBazelRemote(): Promise<{
  readonly address: string;
  readonly stop: () => Promise<void>;
}>;

export declare const nxVersions: Readonly<
  Record<22 | 23 | 24, { readonly nx: string; readonly devkit: string }>
>;
export declare function packPackages(): Promise<readonly string[]>;
export declare function installedNx(major: 22 | 23 | 24): Promise<string>;
export declare function npm(cwd: string, args: readonly string[]): void;
export declare function nodeProgram(major: 22 | 24 | 26): Promise<string>;

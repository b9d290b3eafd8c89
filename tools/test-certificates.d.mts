export interface Certificate {
  readonly cert: Buffer;
  readonly key: Buffer;
}

export function makeCertificates(names: readonly string[]): Promise<{
  readonly ca: Buffer;
  readonly of: (name: string) => Certificate;
  readonly stranger: Certificate;
}>;

import { X509Certificate } from "node:crypto";
import type { TlsMaterial } from "@cuenv/server";

/** Certificates are renewed weeks before they expire, and somebody who tries a new one sends SIGHUP. */
const lookEveryMs = 60_000;

export interface TlsWatchOptions {
  /** @throws where the files cannot be read, or are no pair */
  readonly read: () => TlsMaterial;
  /** What is in use. */
  readonly current: TlsMaterial;
  readonly use: (material: TlsMaterial) => void;
  readonly onTrouble: (message: string) => void;
  readonly onRenewed: (message: string) => void;
  readonly everyMs?: number;
}

export interface TlsWatch {
  /** Somebody says that the files are new: what is wrong with them is told at once. */
  readonly lookNow: () => void;
  readonly stop: () => void;
}

/**
 * Puts new certificates to use when their files have changed. Files that cannot be used change nothing: they are told of once, and when a look finds them by
 * itself only at the second one, since who writes a certificate and then its key is between the two for a moment.
 */
export function watchTls(options: TlsWatchOptions): TlsWatch {
  const { read, use, onTrouble, onRenewed, everyMs = lookEveryMs } = options;
  let { current } = options;
  let seen: string | undefined;
  let told: string | undefined;
  const look = (isAsked: boolean): void => {
    let material: TlsMaterial;
    try {
      material = read();
      if (isSame(material, current)) {
        [seen, told] = [undefined, undefined];
        if (isAsked) onRenewed("TLS certificates are as they were");
        return;
      }
      use(material);
    } catch (error) {
      const { message, hint } = error as Error & { readonly hint?: string };
      const problem = hint === undefined ? message : `${message}. ${hint}`;
      if (isAsked || (seen === problem && told !== problem)) {
        onTrouble(`the TLS certificate of before stays in use: ${problem}`);
        told = problem;
      }
      seen = problem;
      return;
    }
    current = material;
    [seen, told] = [undefined, undefined];
    onRenewed(`TLS certificate renewed, valid until ${new X509Certificate(material.cert).validTo}`);
  };
  const timer = setInterval(() => look(false), everyMs);
  timer.unref();
  return { lookNow: () => look(true), stop: () => clearInterval(timer) };
}

function isSame(one: TlsMaterial, other: TlsMaterial): boolean {
  const bytes = ({ cert, key, ca }: TlsMaterial): readonly Buffer[] => [cert, key, ca ?? empty];
  return bytes(one).every((part, index) => part.equals(bytes(other)[index] ?? empty));
}

const empty = Buffer.alloc(0);

/** Making keys and changing whom to trust. Apart from the index, because no hit needs it. */
export { generateKeyPair, keyIdOf, publicKeyOf, toBase64 } from "./ed25519.ts";
export {
  editTrustFile,
  formatPublicKey,
  parsePublicKeys,
  withTrustLine,
} from "./edit-trust-file.ts";
export { formatKeyFile } from "./key-file.ts";
export { readOrMakeKey, writeKeyFile } from "./make-key.ts";
export { formatTrustLine, parseTrustFile, parseTrustTime } from "./parse-trust-file.ts";

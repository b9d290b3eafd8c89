export { makeCertificates } from "../../../tools/test-certificates.mjs";

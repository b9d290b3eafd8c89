/** Nx' own keys are numbers of 20 digits; those of custom hashers are any of these. */
export const keyPattern: RegExp = /^[A-Za-z0-9_-]{1,128}$/;

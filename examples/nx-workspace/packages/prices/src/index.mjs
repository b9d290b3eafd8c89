import { rates } from "./rates.mjs";

/** An amount of euros in another currency, with two digits. */
export function inCurrency(euros, currency) {
  const rate = rates[currency];
  if (rate === undefined) throw new Error(`no rate for ${currency}`);
  return (euros * rate).toFixed(2);
}

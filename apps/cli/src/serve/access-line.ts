import type { AnsweredRequest } from "@cuenv/server";
import { visibleText } from "../report/visible-text.ts";

/**
 * One line of the access log, its words with a blank between them. No token is in it: who asked is the name of one, or what a token of a CI system or a
 * certificate says, which may be anything.
 */
export function accessLine(request: AnsweredRequest, at: Date): string {
  const { method, path, status, who = "-", durationMs } = request;
  const asked = `${word(method)} ${word(path)} ${status} ${word(who)}`;
  return `${at.toISOString()} ${asked} ${durationMs.toFixed(1)} ms\n`;
}

function word(text: string): string {
  return visibleText(text).replaceAll(/\s/gu, "\\u0020");
}

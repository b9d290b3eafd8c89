/** Folders are names on the way to artifacts, never made; clients want some time. */
const never = new Date(0).toUTCString();

const entities: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;" };

/** A WebDAV multistatus (RFC 4918, 14.16) that says of a path, as it was asked for, that it is a collection. What is in it is not listed. */
export function describeCollection(path: string): string {
  const href = path.replaceAll(/[&<>]/g, (character) => entities[character] ?? "");
  return (
    '<?xml version="1.0" encoding="utf-8"?>\n' +
    `<D:multistatus xmlns:D="DAV:"><D:response><D:href>${href.endsWith("/") ? href : `${href}/`}</D:href>` +
    "<D:propstat><D:prop><D:resourcetype><D:collection/></D:resourcetype>" +
    `<D:getlastmodified>${never}</D:getlastmodified></D:prop>` +
    "<D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response></D:multistatus>\n"
  );
}

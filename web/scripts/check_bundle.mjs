// The bundle stays small, and names no address but those of XML's namespaces.
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const PAGE = new URL("../../src/chainrule/explorer/page/", import.meta.url);
const MOST = 200_000;

const bytes = (name) => gzipSync(readFileSync(new URL(name, PAGE))).length;
const app = ["index.html", "app.js", "app.css"].map(bytes).reduce((a, b) => a + b);
const widget = bytes("widget.js");
console.log(`page ${app} bytes gzip, widget ${widget} bytes gzip, at most ${MOST} each`);
if (Math.max(app, widget) > MOST) throw new Error("the bundle is too large");

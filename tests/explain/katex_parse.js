// Reads a JSON list of {tex, display} from stdin; parses each with KaTeX, strictly; prints what it refuses.
const katex = require("katex");
let bad = 0;
for (const { tex, display } of JSON.parse(require("fs").readFileSync(0, "utf8"))) {
  try {
    katex.renderToString(tex, { displayMode: display, throwOnError: true, strict: "error" });
  } catch (error) {
    bad += 1;
    console.log(`${error.message}\n  in ${tex}`);
  }
}
process.exit(bad ? 1 : 0);

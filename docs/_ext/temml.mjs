// Formulas to MathML: one JSON line {tex, display} in, one JSON line {mathml} or {error} out.
import readline from "node:readline";
import temml from "temml";

for await (const line of readline.createInterface({ input: process.stdin })) {
  const { tex, display } = JSON.parse(line);
  let answer;
  try {
    answer = { mathml: temml.renderToString(tex, { displayMode: display, throwOnError: true, strict: true }) };
  } catch (error) {
    answer = { error: error.message };
  }
  process.stdout.write(JSON.stringify(answer) + "\n");
}

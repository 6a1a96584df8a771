// Runs files in the web runtime: node judge.mjs RUNTIME FOLDER. Each NAME.onnx has its inputs in NAME.in.safetensors; the
// outputs go to NAME.out.json, as lists of numbers.

import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [runtime, folder] = process.argv.slice(2);
const ort = await import(pathToFileURL(runtime));
ort.env.wasm.numThreads = 1;
ort.env.logLevel = "error";
const TYPES = {
  F32: ["float32", Float32Array],
  I64: ["int64", BigInt64Array],
  U8: ["uint8", Uint8Array],
  BOOL: ["bool", Uint8Array],
};

function tensorsOf(path) {
  const content = new Uint8Array(readFileSync(path)).buffer;
  const start = 8 + Number(new DataView(content).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(content, 8, start - 8)));
  return Object.fromEntries(
    Object.entries(header).map(([name, { dtype, shape, data_offsets: [first, last] }]) => {
      const [type, Numbers] = TYPES[dtype];
      return [name, new ort.Tensor(type, new Numbers(content.slice(start + first, start + last)), shape)];
    }),
  );
}

for (const file of readdirSync(folder).filter((name) => name.endsWith(".onnx"))) {
  const path = join(folder, file.replace(".onnx", ""));
  const session = await ort.InferenceSession.create(new Uint8Array(readFileSync(`${path}.onnx`)));
  const found = await session.run(tensorsOf(`${path}.in.safetensors`));
  const lists = Object.entries(found).map(([name, { data, dims }]) => [name, { dims, data: Array.from(data, Number) }]);
  writeFileSync(`${path}.out.json`, JSON.stringify(Object.fromEntries(lists)));
  await session.release();
}

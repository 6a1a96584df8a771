// LeNet-5 learns the digits in the web runtime of ONNX Runtime: the same files as onnx_train.py, in Node or a browser.
//
//   python onnx_export.py; npm install; node onnx_train.mjs [FOLDER [EPOCHS]]

import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as ort from "onnxruntime-web";

const folder = process.argv[2] ?? "onnx-lenet5";
const epochs = Number(process.argv[3] ?? 30);
const TYPES = { F32: ["float32", Float32Array], I64: ["int64", BigInt64Array], U8: ["uint8", Uint8Array] };

// The tensors of a safetensors file: the length of a header, the header, and all numbers.
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

// Random whole numbers below `limit`, the same ones in every run (a generator of Marsaglia's).
let bits = 2463534242;
function random(limit) {
  bits ^= bits << 13;
  bits ^= bits >>> 17;
  bits ^= bits << 5;
  return (bits >>> 0) % limit;
}

// All numbers below `count` in a random order (Fisher and Yates).
function permutation(count) {
  const order = Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = random(i + 1);
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}

// Some samples of a tensor, in an order; pictures moved by up to two pixels, since their borders are empty.
function rows(tensor, chosen) {
  const [, ...shape] = tensor.dims;
  const size = shape.reduce((a, b) => a * b, 1);
  const width = shape.at(-1);
  const data = new tensor.data.constructor(chosen.length * size);
  chosen.forEach((row, place) => {
    const shift = shape.length ? (random(5) - 2) * width + random(5) - 2 : 0;
    const sample = tensor.data.subarray(row * size, (row + 1) * size);
    for (let i = 0; i < size; i++) data[place * size + i] = sample[(i + shift + size) % size];
  });
  return new ort.Tensor(tensor.type, data, [chosen.length, ...shape]);
}

ort.env.wasm.numThreads = 1;
const step = await ort.InferenceSession.create(new Uint8Array(readFileSync(join(folder, "step.onnx"))));
const predict = await ort.InferenceSession.create(new Uint8Array(readFileSync(join(folder, "predict.onnx"))));
const digits = tensorsOf(join(folder, "digits.safetensors"));
const parameters = tensorsOf(join(folder, "step.safetensors"));
const still = Object.entries(parameters).map(([name, { data, dims }]) => [
  `velocity.${name}`,
  new ort.Tensor("float32", new Float32Array(data.length), dims),
]);
let state = { ...parameters, ...Object.fromEntries(still) };

const { train_images: x, train_labels: labels, test_images: images, test_labels: truth } = digits;
const samples = x.dims[0];
const steps = epochs * Math.ceil(samples / 32);
let done = 0;
for (let epoch = 1; epoch <= epochs; epoch++) {
  const order = permutation(samples);
  let sum = 0;
  for (let start = 0; start < samples; start += 32) {
    const batch = order.slice(start, start + 32);
    const rate = new ort.Tensor("float32", [0.05 * Math.min((4 * done) / steps, 1 - done / steps)], []);
    const { loss, ...after } = await step.run({
      x: rows(x, batch),
      targets: rows(labels, batch),
      learning_rate: rate,
      ...state,
    });
    sum += loss.data[0] * batch.length;
    state = Object.fromEntries(Object.entries(after).map(([name, tensor]) => [name.replace("new.", ""), tensor]));
    done++;
  }
  console.log(`epoch ${epoch}/${epochs}  loss ${(sum / samples).toFixed(4)}`);
}

const weights = Object.fromEntries(Object.keys(parameters).map((name) => [name, state[name]]));
const { y } = await predict.run({ x: images, ...weights });
const guess = (row) => y.data.subarray(10 * row, 10 * row + 10).reduce((best, v, k, all) => (v > all[best] ? k : best), 0);
const right = Array.from(truth.data).filter((label, row) => guess(row) === Number(label)).length;
console.log(`accuracy ${((100 * right) / truth.data.length).toFixed(2)}% of ${truth.data.length} test images`);

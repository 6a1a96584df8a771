/// <reference types="vitest/config" />
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";

const PAGE = "../src/chainrule/explorer/page";

// Two bundles from one source: app.js + app.css for the server and the static file, widget.js (its style inside) for notebooks.
export default defineConfig(({ mode }) => {
  const widget = mode === "widget";
  return {
    base: "./",
    plugins: [svelte({ compilerOptions: { css: widget ? "injected" : "external" } })],
    resolve: mode === "test" ? { conditions: ["browser"] } : {},
    build: {
      outDir: PAGE,
      emptyOutDir: !widget,
      target: "es2022",
      modulePreload: { polyfill: false },
      cssCodeSplit: false,
      copyPublicDir: false,
      rolldownOptions: widget
        ? { input: "src/widget.ts", preserveEntrySignatures: "strict" as const, output: { format: "es", entryFileNames: "widget.js" } }
        : { input: "index.html", output: { format: "iife", entryFileNames: "app.js", assetFileNames: "app.[ext]" } },
    },
    test: { environment: "happy-dom", include: ["tests/**/*.test.ts"] },
  };
});

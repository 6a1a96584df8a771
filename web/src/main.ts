import { mount } from "svelte";
import "./app.css";
import "./page.css";
import App from "./components/App.svelte";
import { Exploration } from "./exploration.svelte";
import { type Recording, RecordedHost } from "./hosts/recorded";
import { ServerHost } from "./hosts/server";

const recording = document.getElementById("chainrule-recording");
const host = recording ? new RecordedHost(JSON.parse(recording.textContent ?? "") as Recording) : new ServerHost();
const exploration = new Exploration(host, true, navigator.language);
mount(App, { target: document.getElementById("chainrule-explorer")!, props: { exploration } });
void exploration.start();

import { mount, unmount } from "svelte";
import style from "./app.css?inline";
import App from "./components/App.svelte";
import { Exploration } from "./exploration.svelte";
import { type AnyModel, WidgetHost } from "./hosts/widget";

/** What anywidget asks for: draws one view of the model into `el`; the answer takes it away again. */
function render({ model, el }: { model: AnyModel; el: HTMLElement }): () => void {
  const root = el.getRootNode();
  const styled = root instanceof ShadowRoot ? root : document.head; // some notebooks put each cell into a shadow tree
  if (!styled.querySelector("#chainrule-style")) {
    const element = document.createElement("style");
    element.id = "chainrule-style";
    element.textContent = style;
    styled.append(element);
  }
  const host = new WidgetHost(model);
  const exploration = new Exploration(host, false, navigator.language);
  const app = mount(App, { target: el, props: { exploration } });
  void exploration.start();
  return () => {
    exploration.tour.pause();
    host.close();
    void unmount(app);
  };
}

export default { render };

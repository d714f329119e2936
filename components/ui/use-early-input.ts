import { type Ref, type RefObject, useEffect, useImperativeHandle, useRef } from "react";

type Control = HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement;

/**
 * For a control whose value its parent keeps. What somebody typed or chose before the scripts were there stays on the screen, but nobody
 * has told the parent: the next rendering would take it back. It is told here, by the event that React missed.
 */
export function useEarlyInput<Of extends Control>({ value, checked, ref }: { value?: unknown; checked?: boolean; ref?: Ref<Of | null> }): RefObject<Of | null> {
  const control = useRef<Of>(null);
  useImperativeHandle<Of | null, Of | null>(ref, () => control.current, []);
  const rendered = useRef({ value, checked });
  useEffect(() => {
    const element = control.current;
    const { value: expected, checked: isExpected } = rendered.current;
    if (!element) return;
    if (isExpected === undefined) {
      const isSelect = element instanceof HTMLSelectElement;
      // What a select does not offer it never shows, whoever chose; line ends are the browser's own.
      const text = typeof expected === "number" ? String(expected) : expected;
      if (typeof text !== "string" || (isSelect && ![...element.options].some((option) => option.value === text))) return;
      if (element.value !== text.replaceAll(/\r\n?/g, "\n")) retell(element, "value", text, isSelect ? "change" : "input");
    } else if (element instanceof HTMLInputElement && element.checked !== isExpected && (element.checked || element.type === "checkbox")) {
      retell(element, "checked", isExpected, "click");
    }
  }, []);
  return control;
}

/**
 * React takes what it finds for what it has rendered, and answers no event of a control that did not change since. Each is told by itself, once the
 * rendering before has ended: a parent that is told of several at once makes each of them out of what it had before, and keeps the last alone.
 */
function retell(element: Control, property: "value" | "checked", rendered: string | boolean, event: string): void {
  // Now: the first one's rendering takes the others back.
  const found: unknown = Reflect.get(element, property);
  queueMicrotask(() => {
    Reflect.set(element, property, rendered);
    Reflect.set(Object.getPrototypeOf(element) as object, property, found, element);
    element.dispatchEvent(new Event(event, { bubbles: true }));
  });
}

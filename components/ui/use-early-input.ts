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
      if (typeof expected !== "string" || (isSelect && ![...element.options].some((option) => option.value === expected))) return;
      if (element.value !== expected.replaceAll(/\r\n?/g, "\n")) retell(element, "value", expected, isSelect ? "change" : "input");
    } else if (element instanceof HTMLInputElement && element.checked !== isExpected && (element.checked || element.type === "checkbox")) {
      retell(element, "checked", isExpected, "click");
    }
  }, []);
  return control;
}

/** React takes what it finds for what it has rendered, and answers no event of a control that did not change since. */
function retell(element: Control, property: "value" | "checked", rendered: string | boolean, event: string): void {
  const found: unknown = Reflect.get(element, property);
  Reflect.set(element, property, rendered);
  Reflect.set(Object.getPrototypeOf(element) as object, property, found, element);
  element.dispatchEvent(new Event(event, { bubbles: true }));
}

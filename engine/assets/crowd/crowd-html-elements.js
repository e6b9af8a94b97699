// The crowd elements a worker template is written with: AWS's names, attributes, regions and output ("Crowd HTML
// Elements Reference"), implemented anew. Plain script, no build step. Texts get in by textContent alone; the one
// HTML there is came with the template itself.
'use strict';
(() => {
  const PAGE = window.parent === window ? null : window.parent;

  // The parent is the portal and nobody else: the frame's policy (frame-ancestors) sees to that, so '*' is safe here.
  const tell = (message) => PAGE?.postMessage(message, '*');

  const make = (tag, attributes = {}, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (value === true) element.setAttribute(name, '');
      else if (value !== false && value != null) element.setAttribute(name, value);
    }
    element.append(...children);
    return element;
  };

  let ids = 0;
  const newId = () => `gc-${++ids}`;
  const typing = (element) => element?.closest?.('input, textarea, select, [contenteditable]') != null;

  // ---- Attribute values. AWS's own examples write "['a', 'b']" and "{ text: 'none' }", which is not quite JSON.

  const readList = (text) => {
    try {
      return JSON.parse(text);
    } catch {
      return new Relaxed(text).whole();
    }
  };

  class Relaxed {
    constructor(text) {
      this.text = text;
      this.at = 0;
    }

    whole() {
      const value = this.value();
      if (this.peek() !== undefined) throw this.broken();
      return value;
    }

    broken() {
      return new SyntaxError(`not a list, at character ${this.at + 1}`);
    }

    peek() {
      while (/\s/.test(this.text[this.at] ?? '')) this.at += 1;
      return this.text[this.at];
    }

    take(expected) {
      if (this.peek() !== expected) return false;
      this.at += 1;
      return true;
    }

    value() {
      const next = this.peek();
      if (next === '[') return this.array();
      if (next === '{') return this.object();
      if (next === '"' || next === "'") return this.string();
      return this.word();
    }

    array() {
      const items = [];
      this.take('[');
      while (!this.take(']')) {
        items.push(this.value());
        if (!this.take(',') && this.peek() !== ']') throw this.broken();
      }
      return items;
    }

    object() {
      const entries = [];
      this.take('{');
      while (!this.take('}')) {
        const key = this.value();
        if (!this.take(':')) throw this.broken();
        entries.push([String(key), this.value()]);
        if (!this.take(',') && this.peek() !== '}') throw this.broken();
      }
      return Object.fromEntries(entries);
    }

    string() {
      const quote = this.text[this.at];
      let value = '';
      for (this.at += 1; this.text[this.at] !== quote; this.at += 1) {
        if (this.at >= this.text.length) throw this.broken();
        if (this.text[this.at] === '\\') this.at += 1;
        value += this.text[this.at];
      }
      this.at += 1;
      return value;
    }

    word() {
      const found = /^[\w.+-]+/.exec(this.text.slice(this.at));
      if (!found) throw this.broken();
      this.at += found[0].length;
      const known = { true: true, false: false, null: null };
      if (found[0] in known) return known[found[0]];
      return /^[+-]?[\d.]+$/.test(found[0]) ? Number(found[0]) : found[0];
    }
  }

  /** Categories as {label, value, hotkey, color, description}: from strings, or from objects with some of these. */
  const readCategories = (element, attribute = 'categories') => {
    const list = readList(element.getAttribute(attribute) ?? '');
    if (!Array.isArray(list) || list.length === 0) throw new SyntaxError('not a list with something in it');
    const details = new Map(readDetails(element).map((detail) => [String(detail.label), detail]));
    return list.map((item) => {
      const given = typeof item === 'object' && item !== null ? item : { label: item };
      const label = String(given.label ?? given.value ?? '');
      return { ...details.get(label), ...given, label, value: String(given.value ?? label) };
    });
  };

  /** Not of AWS's: [{label, color, hotkey, description}], what a spec says about its labels beyond their names. */
  const readDetails = (element) => {
    const details = readList(element.getAttribute('label-details') ?? '[]');
    return Array.isArray(details) ? details : [];
  };

  // ---- Keys: what a template asks for first, then 1-9 and 0, then letters that are still free.

  const KEYS = [...'1234567890', ...'abcdefghijklmnopqrstuvwxyz'];

  const giveKeys = (options) => {
    const used = new Set();
    for (const option of options) {
      const key = String(option.hotkey ?? '').toLowerCase();
      option.key = [...key].length === 1 && !used.has(key) ? key : null;
      if (option.key) used.add(option.key);
    }
    const free = KEYS.filter((key) => !used.has(key));
    for (const option of options) option.key ??= free.shift() ?? null;
  };

  /** The keys of these options, three or more in a row as `1–9`; not all of a long list, they stand at the options. */
  const keysInWords = (options) => {
    const runs = [];
    for (const key of options.map((option) => option.key).filter(Boolean)) {
      const run = runs.at(-1);
      const follows = run && /^[0-9a-z]$/.test(key) && key.codePointAt(0) === run.at(-1).codePointAt(0) + 1;
      if (follows) run.push(key);
      else runs.push([key]);
    }
    const words = runs.flatMap((run) => (run.length > 2 ? [`${run[0]}–${run.at(-1)}`] : run)).map((word) => word.toUpperCase());
    return words.length > 6 ? [...words.slice(0, 5), '…'] : words;
  };

  // ---- Regions

  /** Takes a region out of an element: its nodes and its attributes. */
  const region = (element, name) => {
    const found = element.querySelector(`:scope > ${name}, :scope > [slot="${name}"]`);
    found?.remove();
    const empty = !found || (found.textContent.trim() === '' && found.children.length === 0);
    return empty ? null : found;
  };

  class Instructions {
    constructor(element) {
      this.short = region(element, 'short-instructions');
      this.full = region(element, 'full-instructions');
      this.panel = this.short || this.full ? this.build() : null;
    }

    build() {
      const panel = make('details', { class: 'gc-instructions' }, make('summary', {}, 'Instructions'));
      panel.open = matchMedia('(min-width: 60rem)').matches;
      panel.addEventListener('toggle', () => tell({ groundcrew: 'instructions', open: panel.open }));
      const body = make('div', { class: 'gc-prose' });
      if (this.short) body.append(this.short);
      panel.append(body);
      if (this.full) {
        this.dialog = this.buildDialog();
        const more = make('button', { type: 'button', class: 'gc-quiet' }, 'Full instructions');
        more.append(make('kbd', {}, '?'));
        more.addEventListener('click', () => this.dialog.showModal());
        panel.append(more, this.dialog);
      }
      return panel;
    }

    buildDialog() {
      const title = newId();
      const close = make('button', { type: 'button', class: 'gc-icon', 'aria-label': 'Close' }, '✕');
      const heading = make('h2', { id: title }, this.full.getAttribute('header') || 'Instructions');
      const dialog = make('dialog', { class: 'gc-dialog', 'aria-labelledby': title });
      dialog.append(make('header', {}, heading, close), make('div', { class: 'gc-prose' }, this.full));
      close.addEventListener('click', () => dialog.close());
      dialog.addEventListener('click', (event) => event.target === dialog && dialog.close());
      return dialog;
    }

    toggle(open = !this.panel?.open) {
      if (!this.panel || this.panel.open === open) return;
      this.panel.open = open;
      if (open) this.panel.scrollIntoView({ block: 'nearest' });
    }

    help() {
      if (this.dialog) this.dialog.open ? this.dialog.close() : this.dialog.showModal();
      else this.toggle();
    }
  }

  // ---- Choices: one of several (a radio group) or several of several (a group of checkboxes).

  class Choices {
    constructor(options, { several, exclusion, question }) {
      this.options = exclusion ? [...options, { label: exclusion, value: exclusion, alone: true }] : options;
      this.several = several;
      this.chosen = new Set();
      this.element = this.build(question);
    }

    build(question) {
      const title = newId();
      const group = make('div', { class: 'gc-options', role: this.several ? 'group' : 'radiogroup' });
      group.setAttribute('aria-labelledby', [question, title].filter(Boolean).join(' '));
      this.buttons = this.options.map((option, index) => this.button(option, index));
      group.append(...this.buttons);
      group.addEventListener('keydown', (event) => this.move(event));
      this.buttons[0].tabIndex = 0;
      const heading = make('p', { class: 'gc-choices-title', id: title });
      heading.append(this.several ? 'Choose all that apply' : 'Choose one');
      const panel = make('section', { class: 'gc-choices' }, heading);
      if (this.options.length > 12) panel.append(this.filter());
      panel.append(group);
      return panel;
    }

    button(option, index) {
      const role = this.several ? 'checkbox' : 'radio';
      const attributes = { type: 'button', role, 'aria-checked': 'false', tabindex: '-1', class: 'gc-option' };
      const button = make('button', attributes, make('span', { class: 'gc-mark', 'aria-hidden': 'true' }));
      if (option.alone) button.classList.add('gc-alone');
      const words = make('span', { class: 'gc-words' }, make('span', { class: 'gc-label', dir: 'auto' }, option.label));
      if (option.description) words.append(make('small', { dir: 'auto' }, String(option.description)));
      button.append(words);
      if (/^#[0-9a-f]{3,8}$/i.test(option.color ?? '')) button.style.setProperty('--gc-own', option.color);
      if (option.key) {
        button.append(make('kbd', { 'aria-hidden': 'true' }, option.key.toUpperCase()));
        button.setAttribute('aria-keyshortcuts', option.key);
      }
      button.addEventListener('click', () => this.pick(index));
      return button;
    }

    filter() {
      const input = make('input', { type: 'search', class: 'gc-field', placeholder: 'Find a label', 'aria-label': 'Find a label' });
      input.addEventListener('input', () => {
        const wanted = input.value.trim().toLowerCase();
        this.options.forEach((option, index) => {
          this.buttons[index].hidden = !option.label.toLowerCase().includes(wanted);
        });
      });
      return input;
    }

    pick(index) {
      const { value, alone } = this.options[index];
      const on = !this.several || !this.chosen.has(value);
      const cleared = this.options.filter((other) => on && (!this.several || alone || other.alone));
      for (const other of cleared) this.chosen.delete(other.value);
      on ? this.chosen.add(value) : this.chosen.delete(value);
      this.buttons.forEach((button, at) => {
        button.setAttribute('aria-checked', String(this.chosen.has(this.options[at].value)));
        button.tabIndex = at === index ? 0 : -1;
      });
      this.element.dispatchEvent(new Event('change', { bubbles: true }));
    }

    pickByKey(key) {
      const index = this.options.findIndex((option) => option.key === key);
      if (index < 0) return false;
      this.buttons[index].focus();
      this.pick(index);
      return true;
    }

    move(event) {
      const steps = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 };
      const visible = this.buttons.filter((button) => !button.hidden);
      const at = visible.indexOf(document.activeElement);
      let to = at + (steps[event.key] ?? 0);
      if (event.key === 'Home') to = 0;
      if (event.key === 'End') to = visible.length - 1;
      if (at < 0 || to === at) return;
      event.preventDefault();
      const target = visible[(to + visible.length) % visible.length];
      target.focus();
      const index = this.buttons.indexOf(target);
      if (!this.several) this.pick(index);
      else this.buttons.forEach((button) => (button.tabIndex = button === target ? 0 : -1));
    }

    values() {
      return this.options.filter((option) => this.chosen.has(option.value)).map((option) => option.value);
    }

    focus() {
      (this.buttons.find((button) => button.tabIndex === 0) ?? this.buttons[0]).focus({ preventScroll: true });
    }
  }

  // ---- Classifiers

  class Classifier extends HTMLElement {
    static several = false;

    connectedCallback() {
      if (this.built) return;
      this.built = true;
      try {
        this.build();
      } catch (error) {
        this.replaceChildren(problem(`The attribute “categories” of <${this.localName}> cannot be used: ${error.message}.`));
      }
    }

    build() {
      const question = make('h1', { class: 'gc-question', id: newId(), dir: 'auto' }, this.getAttribute('header') ?? '');
      const options = readCategories(this);
      const exclusion = this.exclusion();
      giveKeys(options);
      const { several } = this.constructor;
      this.choices = new Choices(options, { several, exclusion, question: question.textContent ? question.id : null });
      this.instructions = new Instructions(this);
      const stage = make('section', { class: 'gc-stage' }, question, this.subject());
      const task = make('div', { class: 'gc-task' }, stage, this.choices.element);
      if (this.instructions.panel) task.prepend(this.instructions.panel);
      this.replaceChildren(task);
    }

    exclusion() {
      const given = this.getAttribute('exclusion-category');
      const child = region(this, 'exclusion-category');
      if (child) return child.textContent.trim();
      return given ? String(readList(given).text ?? '') || null : null;
    }

    subject() {
      const target = region(this, 'classification-target') ?? make('classification-target');
      const plain = target.children.length === 0;
      const length = plain ? target.textContent.trim().length : Infinity;
      target.dataset.length = !plain ? 'rich' : length <= 12 ? 'glance' : length <= 90 ? 'line' : length <= 600 ? 'note' : 'text';
      // A reader that opens in the middle of a long text is no use: it must be reachable with the keyboard, to scroll.
      return make('div', { class: 'gc-target', tabindex: length > 600 ? '0' : null, dir: 'auto' }, target);
    }

    get value() {
      const values = this.choices?.values() ?? [];
      return this.constructor.several ? { labels: values } : values.length ? { label: values[0] } : null;
    }

    get missing() {
      if (!this.choices) return 'This task cannot be answered.';
      if (this.choices.values().length > 0) return null;
      return this.constructor.several ? 'Choose at least one label first.' : 'Choose a label first.';
    }

    focus() {
      this.choices?.focus();
    }
  }

  class ImageClassifier extends Classifier {
    subject() {
      this.viewer = new Viewer(this.getAttribute('src') ?? '');
      return this.viewer.element;
    }

    /** Nobody can say what is on an image that is not there. */
    get missing() {
      return this.viewer?.missing ?? super.missing;
    }
  }

  const severalOf = (base) => class extends base {
    static several = true;
  };

  /** An image with zoom: fits at first, can be enlarged and dragged, and says so when it does not come. */
  class Viewer {
    constructor(src) {
      this.src = src;
      this.zoom = 1;
      this.image = make('img', { alt: 'The image to label', draggable: 'false' });
      this.scroll = make('div', { class: 'gc-scroll' }, this.image);
      this.state = make('div', { class: 'gc-state', role: 'status' });
      this.element = make('div', { class: 'gc-viewer' }, this.scroll, this.state, this.tools());
      this.image.addEventListener('load', () => this.show());
      this.image.addEventListener('error', () => this.fail());
      this.scroll.addEventListener('wheel', (event) => this.wheel(event), { passive: false });
      this.scroll.addEventListener('dblclick', () => this.set(this.zoom === 1 ? 2.5 : 1));
      this.drag();
      this.load();
    }

    tools() {
      const tool = (label, text, act) => {
        const button = make('button', { type: 'button', class: 'gc-icon', 'aria-label': label, title: label }, text);
        button.addEventListener('click', act);
        return button;
      };
      this.level = make('button', { type: 'button', class: 'gc-level', title: 'Fit to the window' }, '100%');
      this.level.addEventListener('click', () => this.set(1));
      const out = tool('Smaller (−)', '−', () => this.set(this.zoom / 1.5));
      const into = tool('Larger (+)', '+', () => this.set(this.zoom * 1.5));
      return make('div', { class: 'gc-tools', role: 'toolbar', 'aria-label': 'Zoom' }, out, this.level, into);
    }

    get missing() {
      return { loading: 'Please wait for the image.', failed: 'Without its image the task can only be declined.' }[this.element.dataset.state] ?? null;
    }

    load() {
      this.element.dataset.state = 'loading';
      this.state.replaceChildren(make('span', { class: 'gc-spinner' }), 'Loading the image…');
      if (this.src) this.image.src = this.src;
      else this.fail();
    }

    show() {
      this.element.dataset.state = 'shown';
      this.state.replaceChildren();
      this.set(1);
    }

    fail() {
      this.element.dataset.state = 'failed';
      const again = make('button', { type: 'button', class: 'gc-secondary' }, 'Try again');
      const decline = make('button', { type: 'button', class: 'gc-secondary' }, 'Decline this task');
      again.addEventListener('click', () => {
        this.image.removeAttribute('src');
        this.load();
      });
      decline.addEventListener('click', () => tell({ groundcrew: 'decline' }));
      const why = make('p', {}, 'It may have been moved or damaged. You can try again, or decline the task so that nobody guesses.');
      const ways = make('div', { class: 'gc-row' }, again, ...(PAGE ? [decline] : []));
      this.state.replaceChildren(make('strong', {}, 'This image could not be loaded'), why, ways);
    }

    /** What is in the middle stays in the middle. */
    set(zoom) {
      const box = this.scroll;
      const middle = [(box.scrollLeft + box.clientWidth / 2) / box.scrollWidth, (box.scrollTop + box.clientHeight / 2) / box.scrollHeight];
      this.zoom = Math.min(8, Math.max(1, zoom));
      const percent = `${Math.round(this.zoom * 100)}%`;
      this.image.style.width = this.zoom === 1 ? '' : percent;
      this.image.style.height = this.zoom === 1 ? '' : percent;
      this.element.dataset.zoomed = String(this.zoom > 1);
      this.level.textContent = this.zoom === 1 ? 'Fit' : percent;
      box.scrollTo(middle[0] * box.scrollWidth - box.clientWidth / 2, middle[1] * box.scrollHeight - box.clientHeight / 2);
    }

    wheel(event) {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      this.set(this.zoom * (event.deltaY < 0 ? 1.2 : 1 / 1.2));
    }

    drag() {
      let from = null;
      this.scroll.addEventListener('pointerdown', (event) => {
        if (event.pointerType !== 'mouse' || this.zoom === 1) return;
        from = { x: event.clientX + this.scroll.scrollLeft, y: event.clientY + this.scroll.scrollTop };
        this.scroll.setPointerCapture(event.pointerId);
      });
      this.scroll.addEventListener('pointermove', (event) => {
        if (from) this.scroll.scrollTo(from.x - event.clientX, from.y - event.clientY);
      });
      this.scroll.addEventListener('pointerup', () => (from = null));
    }

    key(key) {
      const zooms = { '+': 1.5, '=': 1.5, '-': 1 / 1.5 };
      if (!(key in zooms)) return false;
      this.set(this.zoom * zooms[key]);
      return true;
    }
  }

  // ---- Form

  class Form extends HTMLElement {
    connectedCallback() {
      if (this.built) return;
      this.built = true;
      this.problem = make('p', { class: 'gc-problem', role: 'alert' });
      this.actions = make('footer', { class: 'gc-actions' }, this.hint(), this.problem);
      const own = this.querySelector('crowd-button[form-action="submit"], button[type="submit"], input[type="submit"]');
      if (!own) this.actions.append(this.submitButton());
      this.append(this.actions);
      this.addEventListener('change', () => this.complain(null));
      this.addEventListener('click', (event) => this.clicked(event));
      document.addEventListener('keydown', (event) => this.keyed(event));
      window.addEventListener('message', (event) => event.source === PAGE && this.told(event.data));
      this.toggleAttribute('data-hosted', Boolean(PAGE));
      tell({ groundcrew: 'ready', instructions: Boolean(this.helper()) });
      this.aim();
      window.addEventListener('focus', () => this.aim());
    }

    /** The choices have the focus unless something else was given it. */
    aim() {
      if (document.activeElement === document.body) this.first()?.focus();
    }

    hint() {
      const hint = make('p', { class: 'gc-hint' });
      if (!this.first()) return hint;
      const bound = keysInWords(this.first().choices.options);
      const rows = [[bound, 'choose'], [['↑ ↓'], 'move'], [['Enter'], 'submit'], [this.helper() ? ['?'] : [], 'help']];
      for (const [keys, does] of rows.filter(([keys]) => keys.length > 0)) {
        hint.append(make('span', {}, ...keys.flatMap((key) => [make('kbd', {}, key), ' ']), does));
      }
      return hint;
    }

    submitButton() {
      this.button = make('button', { type: 'button', class: 'gc-primary' }, 'Submit');
      this.button.addEventListener('click', () => this.submit());
      return this.button;
    }

    clicked(event) {
      const button = event.target.closest('crowd-button, button[type="submit"], input[type="submit"]');
      if (button && (button.localName !== 'crowd-button' || button.getAttribute('form-action') === 'submit')) {
        event.preventDefault();
        this.submit();
      }
    }

    classifiers() {
      return [...this.querySelectorAll('*')].filter((element) => element instanceof Classifier && element.choices);
    }

    first() {
      const all = this.classifiers();
      return all.find((element) => element.contains(document.activeElement)) ?? all[0];
    }

    helper() {
      return this.classifiers().map((element) => element.instructions).find((instructions) => instructions.panel);
    }

    keyed(event) {
      if (event.defaultPrevented || event.isComposing || event.altKey || event.ctrlKey && event.key !== 'Enter' || event.metaKey) return;
      const element = event.target;
      if (document.querySelector('dialog[open]')) {
        if (event.key === '?') this.press(event.key) && event.preventDefault();
        return;
      }
      if (typing(element) && !(event.key === 'Enter' && (event.ctrlKey || element.closest('input')))) return;
      // A focused button means itself by Enter; an option means "this is my answer, go on".
      if (event.key === 'Enter' && element.closest?.('button, a, summary, crowd-button') && !element.closest('.gc-option')) return;
      if (this.press(event.key)) event.preventDefault();
    }

    /** Does what a key stands for; also called for keys pressed in the portal around the frame. */
    press(key) {
      if (key === 'Enter') return this.submit(), true;
      if (key === '?') return this.helper()?.help(), true;
      if (/^Arrow(Up|Down)$/.test(key)) return this.aim(), false;
      const classifier = this.first();
      return Boolean(classifier?.viewer?.key(key) || classifier?.choices.pickByKey(key.toLowerCase()));
    }

    told(message) {
      const kind = message?.groundcrew;
      if (kind === 'key' && !document.querySelector('dialog[open]')) this.press(String(message.key));
      if (kind === 'instructions') this.helper()?.toggle(message.open);
      if (kind === 'refused') {
        this.busy(false);
        this.complain(String(message.message ?? 'This answer was not taken.'));
      }
      if (kind === 'busy') this.busy(true);
    }

    busy(on) {
      this.waiting = on;
      if (!this.button) return;
      this.button.disabled = on;
      this.button.textContent = on ? 'Saving…' : 'Submit';
    }

    complain(text) {
      this.problem.textContent = text ?? '';
    }

    submit() {
      if (this.waiting) return;
      const complaint = this.missing();
      if (complaint) return this.complain(complaint);
      if (!this.dispatchEvent(new Event('submit', { bubbles: true, cancelable: true }))) return;
      const answer = this.answer();
      this.busy(Boolean(PAGE));
      this.dispatchEvent(new CustomEvent('groundcrew-answer', { bubbles: true, detail: answer }));
      tell({ groundcrew: 'submit', answer });
    }

    missing() {
      for (const element of this.querySelectorAll('*')) {
        if (element.localName.startsWith('crowd-') && element.missing) return element.missing;
        if (element.willValidate && !element.closest('.gc-field-box, .gc-choices') && !element.reportValidity()) return 'Something is still missing.';
      }
      return null;
    }

    /** {"<element name>": value}; elements of one name are put together, as AWS's form does. */
    answer() {
      const answer = {};
      const add = (name, value) => {
        const both = [answer[name], value].every((side) => typeof side === 'object' && side !== null);
        answer[name] = both ? { ...answer[name], ...value } : value;
      };
      for (const element of this.querySelectorAll('[name]')) {
        const name = element.getAttribute('name');
        if (element.localName.startsWith('crowd-')) {
          if (element.value !== undefined && element.value !== null) add(name, element.value);
        } else if (!element.closest('.gc-field-box') && !element.disabled) {
          const value = nativeValue(element);
          if (value !== undefined) add(name, value);
        }
      }
      return answer;
    }
  }

  const nativeValue = (element) => {
    if (element.matches('input[type="radio"], input[type="checkbox"]')) return { [element.value]: element.checked };
    return element.matches('input, textarea, select') ? element.value : undefined;
  };

  // ---- Small elements of custom templates

  class Field extends HTMLElement {
    connectedCallback() {
      if (this.field) return;
      const several = this.localName === 'crowd-text-area';
      const id = newId();
      this.field = make(several ? 'textarea' : 'input', { id, class: 'gc-field' });
      if (!several) this.field.type = this.getAttribute('type') ?? 'text';
      for (const name of ['placeholder', 'rows', 'min', 'max', 'step', 'pattern']) {
        if (this.hasAttribute(name)) this.field.setAttribute(name, this.getAttribute(name));
      }
      if (this.hasAttribute('max-length')) this.field.maxLength = Number(this.getAttribute('max-length'));
      this.field.required = this.hasAttribute('required');
      this.field.disabled = this.hasAttribute('disabled');
      this.field.value = this.getAttribute('value') ?? '';
      const label = make('label', { for: id }, this.getAttribute('label') ?? '');
      this.append(make('div', { class: 'gc-field-box' }, label, this.field));
    }

    get value() {
      return this.field?.value ?? '';
    }

    set value(text) {
      if (this.field) this.field.value = text;
      else this.setAttribute('value', text);
    }

    get missing() {
      if (!this.field || this.field.checkValidity()) return null;
      this.field.focus();
      return `${this.getAttribute('label') || this.getAttribute('name') || 'A field'}: ${this.field.validationMessage}`;
    }
  }

  class Checkable extends HTMLElement {
    connectedCallback() {
      if (this.field) return;
      const type = this.localName === 'crowd-checkbox' ? 'checkbox' : 'radio';
      const group = this.closest('crowd-radio-group');
      if (group && !group.gcName) group.gcName = newId();
      this.field = make('input', { type, name: type === 'radio' ? (group?.gcName ?? newId()) : null });
      this.field.checked = this.hasAttribute('checked');
      this.field.disabled = this.hasAttribute('disabled');
      const words = make('span', {});
      words.append(...this.childNodes);
      this.append(make('label', { class: 'gc-check gc-field-box' }, this.field, words));
    }

    get checked() {
      return this.field ? this.field.checked : this.hasAttribute('checked');
    }

    get value() {
      const name = this.getAttribute('value') ?? (this.localName === 'crowd-checkbox' ? 'on' : (this.getAttribute('name') ?? 'on'));
      return { [name]: this.checked };
    }

    get missing() {
      return this.hasAttribute('required') && !this.checked ? `${this.textContent.trim()}: this has to be ticked.` : null;
    }
  }

  /** AWS names the group's buttons by value; the group's answer says of each whether it is chosen. */
  class RadioGroup extends HTMLElement {
    connectedCallback() {
      this.setAttribute('role', 'radiogroup');
    }
  }

  class Button extends HTMLElement {
    connectedCallback() {
      if (this.button) return;
      const kind = this.getAttribute('variant') === 'primary' || this.getAttribute('form-action') === 'submit' ? 'gc-primary' : 'gc-secondary';
      this.button = make('button', { type: 'button', class: kind, disabled: this.hasAttribute('disabled') });
      this.button.append(...this.childNodes);
      this.append(this.button);
      if (this.getAttribute('form-action') === 'reset') this.addEventListener('click', () => location.reload());
      if (this.hasAttribute('href')) this.addEventListener('click', () => window.open(this.getAttribute('href'), '_blank', 'noopener'));
    }
  }

  const problem = (text) => make('div', { class: 'gc-trouble', role: 'alert' }, make('strong', {}, 'This task cannot be shown'), make('p', {}, text));

  /** Tools of Ground Truth that are not here: said, instead of an empty page. */
  class Missing extends HTMLElement {
    connectedCallback() {
      this.replaceChildren(problem(`The template uses <${this.localName}>, which this portal does not have. Please decline the task and tell whoever set up the job.`));
    }

    get missing() {
      return 'This task cannot be answered here; please decline it.';
    }
  }

  /** Marks a page that is no task: nothing to submit. The portal is told why, when it can do something about it. */
  class TaskProblem extends HTMLElement {
    connectedCallback() {
      this.setAttribute('role', 'alert');
      tell({ groundcrew: 'ready', code: this.getAttribute('code') });
    }
  }

  const ELEMENTS = {
    'crowd-classifier': class extends Classifier {},
    'crowd-classifier-multi-select': severalOf(Classifier),
    'crowd-image-classifier': class extends ImageClassifier {},
    'crowd-image-classifier-multi-select': severalOf(ImageClassifier),
    'crowd-input': class extends Field {},
    'crowd-text-area': class extends Field {},
    'crowd-checkbox': class extends Checkable {},
    'crowd-radio-button': class extends Checkable {},
    'crowd-radio-group': RadioGroup,
    'crowd-button': Button,
    'crowd-task-problem': TaskProblem,
    // Last: when the form is set up, what stands in it is.
    'crowd-form': Form,
  };

  const ABSENT = [
    'bounding-box', 'semantic-segmentation', 'instance-segmentation', 'entity-annotation', 'polygon', 'polyline', 'keypoint',
    'line', 'text-ranking', 'video-object-detection', 'video-object-tracking', 'rekognition-detect-moderation-labels',
  ];

  const define = () => {
    if (!document.querySelector('link[href$="crowd-html-elements.css"]')) {
      const own = document.querySelector('script[src$="crowd-html-elements.js"]')?.getAttribute('src') ?? '/crowd/crowd-html-elements.js';
      document.head.append(make('link', { rel: 'stylesheet', href: own.replace(/\.js$/, '.css') }));
    }
    for (const name of ABSENT) customElements.define(`crowd-${name}`, class extends Missing {});
    for (const [name, element] of Object.entries(ELEMENTS)) customElements.define(name, element);
  };

  // An element is set up from what stands inside it, so definitions wait until all of the page is there.
  if (document.readyState === 'loading') document.addEventListener('DOMContentLoaded', define);
  else define();
})();

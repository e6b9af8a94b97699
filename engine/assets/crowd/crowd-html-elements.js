// The crowd elements of worker templates, with AWS's names, attributes, regions and output ("Crowd HTML Elements
// Reference"). The implementation is the project's own: a plain script, no build step. Texts are inserted only by
// textContent; the only HTML is the template's own.
'use strict';
(() => {
  const PORTAL = window.parent === window ? null : window.parent;

  // Only the portal can be the parent, by the frame's policy (frame-ancestors), so '*' is safe here.
  const postToPortal = (message) => PORTAL?.postMessage(message, '*');

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
  const isTextField = (element) => element?.closest?.('input, textarea, select, [contenteditable]') != null;

  // ---- Attribute values. AWS's own examples write "['a', 'b']" and "{ text: 'none' }", which is not valid JSON.

  const readList = (text) => {
    try {
      return JSON.parse(text);
    } catch {
      return new RelaxedParser(text).parse();
    }
  };

  class RelaxedParser {
    constructor(text) {
      this.text = text;
      this.at = 0;
    }

    parse() {
      const value = this.value();
      if (this.peek() !== undefined) throw this.error();
      return value;
    }

    error() {
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
        if (!this.take(',') && this.peek() !== ']') throw this.error();
      }
      return items;
    }

    object() {
      const entries = [];
      this.take('{');
      while (!this.take('}')) {
        const key = this.value();
        if (!this.take(':')) throw this.error();
        entries.push([String(key), this.value()]);
        if (!this.take(',') && this.peek() !== '}') throw this.error();
      }
      return Object.fromEntries(entries);
    }

    string() {
      const quote = this.text[this.at];
      let value = '';
      for (this.at += 1; this.text[this.at] !== quote; this.at += 1) {
        if (this.at >= this.text.length) throw this.error();
        if (this.text[this.at] === '\\') this.at += 1;
        value += this.text[this.at];
      }
      this.at += 1;
      return value;
    }

    word() {
      const found = /^[\w.+-]+/.exec(this.text.slice(this.at));
      if (!found) throw this.error();
      this.at += found[0].length;
      const known = { true: true, false: false, null: null };
      if (found[0] in known) return known[found[0]];
      return /^[+-]?[\d.]+$/.test(found[0]) ? Number(found[0]) : found[0];
    }
  }

  /** Categories as {label, value, hotkey, color, description}, from strings or from objects with some of these members. */
  const readCategories = (element, attribute = 'categories') => {
    const list = readList(element.getAttribute(attribute) ?? '');
    if (!Array.isArray(list) || list.length === 0) throw new SyntaxError('not a list, or an empty one');
    const details = new Map(readDetails(element).map((detail) => [String(detail.label), detail]));
    return list.map((item) => {
      const given = typeof item === 'object' && item !== null ? item : { label: item };
      const label = String(given.label ?? given.value ?? '');
      return { ...details.get(label), ...given, label, value: String(given.value ?? label) };
    });
  };

  /** Not an attribute of AWS's: [{label, color, hotkey, description}], what a spec says about its labels besides their names. */
  const readDetails = (element) => {
    const details = readList(element.getAttribute('label-details') ?? '[]');
    return Array.isArray(details) ? details : [];
  };

  // ---- Keys: first those that the template sets, then 1-9 and 0, then free letters.

  const KEYS = [...'1234567890', ...'abcdefghijklmnopqrstuvwxyz'];

  const assignKeys = (options) => {
    const used = new Set();
    for (const option of options) {
      const key = String(option.hotkey ?? '').toLowerCase();
      option.key = [...key].length === 1 && !used.has(key) ? key : null;
      if (option.key) used.add(option.key);
    }
    const free = KEYS.filter((key) => !used.has(key));
    for (const option of options) option.key ??= free.shift() ?? null;
  };

  /** The keys of these options, three or more in a row as `1–9`. A long list is cut: each option shows its own key. */
  const keyRanges = (options) => {
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

  /** Removes a region from an element and returns it; null if it is missing or empty. */
  const takeRegion = (element, name) => {
    const found = element.querySelector(`:scope > ${name}, :scope > [slot="${name}"]`);
    found?.remove();
    const empty = !found || (found.textContent.trim() === '' && found.children.length === 0);
    return empty ? null : found;
  };

  class Instructions {
    constructor(element) {
      this.short = takeRegion(element, 'short-instructions');
      this.full = takeRegion(element, 'full-instructions');
      this.panel = this.short || this.full ? this.build() : null;
    }

    build() {
      const panel = make('details', { class: 'gc-instructions' }, make('summary', {}, 'Instructions'));
      panel.open = matchMedia('(min-width: 60rem)').matches;
      panel.addEventListener('toggle', () => postToPortal({ groundcrew: 'instructions', open: panel.open }));
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

  // ---- Choices: one of several (a radio group), or any number (a group of checkboxes).

  class Choices {
    constructor(options, { isMultiple, exclusion, question }) {
      this.options = exclusion ? [...options, { label: exclusion, value: exclusion, isExclusion: true }] : options;
      this.isMultiple = isMultiple;
      this.chosen = new Set();
      this.element = this.build(question);
    }

    build(question) {
      const title = newId();
      const group = make('div', { class: 'gc-options', role: this.isMultiple ? 'group' : 'radiogroup' });
      group.setAttribute('aria-labelledby', [question, title].filter(Boolean).join(' '));
      this.buttons = this.options.map((option, index) => this.button(option, index));
      group.append(...this.buttons);
      group.addEventListener('keydown', (event) => this.moveFocus(event));
      this.buttons[0].tabIndex = 0;
      const heading = make('p', { class: 'gc-choices-title', id: title });
      heading.append(this.isMultiple ? 'Choose all that apply' : 'Choose one');
      const panel = make('section', { class: 'gc-choices' }, heading);
      if (this.options.length > 12) panel.append(this.filter());
      panel.append(group);
      return panel;
    }

    button(option, index) {
      const role = this.isMultiple ? 'checkbox' : 'radio';
      const attributes = { type: 'button', role, 'aria-checked': 'false', tabindex: '-1', class: 'gc-option' };
      const button = make('button', attributes, make('span', { class: 'gc-mark', 'aria-hidden': 'true' }));
      if (option.isExclusion) button.classList.add('gc-exclusion');
      const words = make('span', { class: 'gc-words' }, make('span', { class: 'gc-label', dir: 'auto' }, option.label));
      if (option.description) words.append(make('small', { dir: 'auto' }, String(option.description)));
      button.append(words);
      if (/^#[0-9a-f]{3,8}$/i.test(option.color ?? '')) button.style.setProperty('--gc-own', option.color);
      if (option.key) {
        button.append(make('kbd', { 'aria-hidden': 'true' }, option.key.toUpperCase()));
        button.setAttribute('aria-keyshortcuts', option.key);
      }
      button.addEventListener('click', () => this.choose(index));
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

    choose(index) {
      const { value, isExclusion } = this.options[index];
      const on = !this.isMultiple || !this.chosen.has(value);
      const cleared = this.options.filter((other) => on && (!this.isMultiple || isExclusion || other.isExclusion));
      for (const other of cleared) this.chosen.delete(other.value);
      on ? this.chosen.add(value) : this.chosen.delete(value);
      this.buttons.forEach((button, at) => {
        button.setAttribute('aria-checked', String(this.chosen.has(this.options[at].value)));
        button.tabIndex = at === index ? 0 : -1;
      });
      this.element.dispatchEvent(new Event('change', { bubbles: true }));
    }

    chooseByKey(key) {
      const index = this.options.findIndex((option) => option.key === key);
      if (index < 0) return false;
      this.buttons[index].focus();
      this.choose(index);
      return true;
    }

    moveFocus(event) {
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
      if (!this.isMultiple) this.choose(index);
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
    static isMultiple = false;

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
      assignKeys(options);
      const { isMultiple } = this.constructor;
      this.choices = new Choices(options, { isMultiple, exclusion, question: question.textContent ? question.id : null });
      this.instructions = new Instructions(this);
      const stage = make('section', { class: 'gc-stage' }, question, this.subject());
      const task = make('div', { class: 'gc-task' }, stage, this.choices.element);
      if (this.instructions.panel) task.prepend(this.instructions.panel);
      this.replaceChildren(task);
    }

    exclusion() {
      const given = this.getAttribute('exclusion-category');
      const child = takeRegion(this, 'exclusion-category');
      if (child) return child.textContent.trim();
      return given ? String(readList(given).text ?? '') || null : null;
    }

    subject() {
      const target = takeRegion(this, 'classification-target') ?? make('classification-target');
      const plain = target.children.length === 0;
      const length = plain ? target.textContent.trim().length : Infinity;
      target.dataset.length = !plain ? 'rich' : length <= 12 ? 'glance' : length <= 90 ? 'line' : length <= 600 ? 'note' : 'text';
      // A long text takes the focus, so that it can be scrolled with the keyboard.
      return make('div', { class: 'gc-target', tabindex: length > 600 ? '0' : null, dir: 'auto' }, target);
    }

    get value() {
      const values = this.choices?.values() ?? [];
      return this.constructor.isMultiple ? { labels: values } : values.length ? { label: values[0] } : null;
    }

    get missing() {
      if (!this.choices) return 'This task cannot be answered.';
      if (this.choices.values().length > 0) return null;
      return this.constructor.isMultiple ? 'Choose at least one label first.' : 'Choose a label first.';
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

    /** An image that is not shown cannot be labelled. */
    get missing() {
      return this.viewer?.missing ?? super.missing;
    }
  }

  const multipleOf = (base) => class extends base {
    static isMultiple = true;
  };

  /** An image with zoom: fitted at first, can be enlarged and dragged, and shows a message if it cannot be loaded. */
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
      this.scroll.addEventListener('dblclick', () => this.setZoom(this.zoom === 1 ? 2.5 : 1));
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
      this.level.addEventListener('click', () => this.setZoom(1));
      const out = tool('Smaller (−)', '−', () => this.setZoom(this.zoom / 1.5));
      const into = tool('Larger (+)', '+', () => this.setZoom(this.zoom * 1.5));
      return make('div', { class: 'gc-tools', role: 'toolbar', 'aria-label': 'Zoom' }, out, this.level, into);
    }

    get missing() {
      return { loading: 'Please wait for the image.', failed: 'The image is missing. You can only decline this task.' }[this.element.dataset.state] ?? null;
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
      this.setZoom(1);
    }

    fail() {
      this.element.dataset.state = 'failed';
      const again = make('button', { type: 'button', class: 'gc-secondary' }, 'Try again');
      const decline = make('button', { type: 'button', class: 'gc-secondary' }, 'Decline this task');
      again.addEventListener('click', () => {
        this.image.removeAttribute('src');
        this.load();
      });
      decline.addEventListener('click', () => postToPortal({ groundcrew: 'decline' }));
      const why = make('p', {}, 'It may have been moved or damaged. You can try again, or decline the task. Please do not guess.');
      const ways = make('div', { class: 'gc-row' }, again, ...(PORTAL ? [decline] : []));
      this.state.replaceChildren(make('strong', {}, 'This image could not be loaded'), why, ways);
    }

    /** The middle of the view stays in the middle. */
    setZoom(zoom) {
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
      this.setZoom(this.zoom * (event.deltaY < 0 ? 1.2 : 1 / 1.2));
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
      this.setZoom(this.zoom * zooms[key]);
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
      const ownButton = this.querySelector('crowd-button[form-action="submit"], button[type="submit"], input[type="submit"]');
      if (!ownButton) this.actions.append(this.submitButton());
      this.append(this.actions);
      this.addEventListener('change', () => this.showProblem(null));
      this.addEventListener('click', (event) => this.onClick(event));
      document.addEventListener('keydown', (event) => this.onKeydown(event));
      window.addEventListener('message', (event) => event.source === PORTAL && this.onPortalMessage(event.data));
      this.toggleAttribute('data-hosted', Boolean(PORTAL));
      postToPortal({ groundcrew: 'ready', instructions: Boolean(this.visibleInstructions()) });
      this.focusChoices();
      window.addEventListener('focus', () => this.focusChoices());
    }

    /** Gives the focus to the choices unless another element has it. */
    focusChoices() {
      if (document.activeElement === document.body) this.activeClassifier()?.focus();
    }

    hint() {
      const hint = make('p', { class: 'gc-hint' });
      if (!this.activeClassifier()) return hint;
      const optionKeys = keyRanges(this.activeClassifier().choices.options);
      const rows = [[optionKeys, 'choose'], [['↑ ↓'], 'move'], [['Enter'], 'submit'], [this.visibleInstructions() ? ['?'] : [], 'help']];
      for (const [keys, action] of rows.filter(([keys]) => keys.length > 0)) {
        hint.append(make('span', {}, ...keys.flatMap((key) => [make('kbd', {}, key), ' ']), action));
      }
      return hint;
    }

    submitButton() {
      this.button = make('button', { type: 'button', class: 'gc-primary' }, 'Submit');
      this.button.addEventListener('click', () => this.submit());
      return this.button;
    }

    onClick(event) {
      const button = event.target.closest('crowd-button, button[type="submit"], input[type="submit"]');
      if (button && (button.localName !== 'crowd-button' || button.getAttribute('form-action') === 'submit')) {
        event.preventDefault();
        this.submit();
      }
    }

    classifiers() {
      return [...this.querySelectorAll('*')].filter((element) => element instanceof Classifier && element.choices);
    }

    activeClassifier() {
      const all = this.classifiers();
      return all.find((element) => element.contains(document.activeElement)) ?? all[0];
    }

    visibleInstructions() {
      return this.classifiers().map((element) => element.instructions).find((instructions) => instructions.panel);
    }

    onKeydown(event) {
      if (event.defaultPrevented || event.isComposing || event.altKey || event.ctrlKey && event.key !== 'Enter' || event.metaKey) return;
      const element = event.target;
      if (document.querySelector('dialog[open]')) {
        if (event.key === '?') this.handleKey(event.key) && event.preventDefault();
        return;
      }
      if (isTextField(element) && !(event.key === 'Enter' && (event.ctrlKey || element.closest('input')))) return;
      // Enter on a focused button presses the button; Enter on an option submits the answer.
      if (event.key === 'Enter' && element.closest?.('button, a, summary, crowd-button') && !element.closest('.gc-option')) return;
      if (this.handleKey(event.key)) event.preventDefault();
    }

    /** Does what a key stands for. Also called for keys pressed in the portal around the frame. */
    handleKey(key) {
      if (key === 'Enter') return this.submit(), true;
      if (key === '?') return this.visibleInstructions()?.help(), true;
      if (/^Arrow(Up|Down)$/.test(key)) return this.focusChoices(), false;
      const classifier = this.activeClassifier();
      return Boolean(classifier?.viewer?.key(key) || classifier?.choices.chooseByKey(key.toLowerCase()));
    }

    onPortalMessage(message) {
      const kind = message?.groundcrew;
      if (kind === 'key' && !document.querySelector('dialog[open]')) this.handleKey(String(message.key));
      if (kind === 'instructions') this.visibleInstructions()?.toggle(message.open);
      if (kind === 'refused') {
        this.setBusy(false);
        this.showProblem(String(message.message ?? 'This answer was not accepted.'));
      }
      if (kind === 'busy') this.setBusy(true);
    }

    setBusy(isBusy) {
      this.isWaiting = isBusy;
      if (!this.button) return;
      this.button.disabled = isBusy;
      this.button.textContent = isBusy ? 'Saving…' : 'Submit';
    }

    showProblem(text) {
      this.problem.textContent = text ?? '';
    }

    submit() {
      if (this.isWaiting) return;
      const missing = this.missing();
      if (missing) return this.showProblem(missing);
      if (!this.dispatchEvent(new Event('submit', { bubbles: true, cancelable: true }))) return;
      const answer = this.answer();
      this.setBusy(Boolean(PORTAL));
      this.dispatchEvent(new CustomEvent('groundcrew-answer', { bubbles: true, detail: answer }));
      postToPortal({ groundcrew: 'submit', answer });
    }

    missing() {
      for (const element of this.querySelectorAll('*')) {
        if (element.localName.startsWith('crowd-') && element.missing) return element.missing;
        if (element.willValidate && !element.closest('.gc-field-box, .gc-choices') && !element.reportValidity()) return 'A field is still empty or wrong.';
      }
      return null;
    }

    /** {"<element name>": value}. Elements of one name are merged, as AWS's form does. */
    answer() {
      const answer = {};
      const add = (name, value) => {
        const areObjects = [answer[name], value].every((part) => typeof part === 'object' && part !== null);
        answer[name] = areObjects ? { ...answer[name], ...value } : value;
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
      const isTextArea = this.localName === 'crowd-text-area';
      const id = newId();
      this.field = make(isTextArea ? 'textarea' : 'input', { id, class: 'gc-field' });
      if (!isTextArea) this.field.type = this.getAttribute('type') ?? 'text';
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
      return this.hasAttribute('required') && !this.checked ? `${this.textContent.trim()}: please tick this box.` : null;
    }
  }

  /** AWS names the group's buttons by their values. The group's answer says for each button whether it is chosen. */
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

  /** For elements of Ground Truth that are not implemented: a message instead of an empty page. */
  class UnsupportedElement extends HTMLElement {
    connectedCallback() {
      this.replaceChildren(problem(`The template uses <${this.localName}>, which this portal does not have. Please decline the task and inform the person who set up the job.`));
    }

    get missing() {
      return 'This task cannot be answered here. Please decline it.';
    }
  }

  /** Marks a page that is not a task. `code` is for the portal, if the portal can do something about it. */
  class TaskProblem extends HTMLElement {
    connectedCallback() {
      this.setAttribute('role', 'alert');
      postToPortal({ groundcrew: 'ready', code: this.getAttribute('code') });
    }
  }

  const ELEMENTS = {
    'crowd-classifier': class extends Classifier {},
    'crowd-classifier-multi-select': multipleOf(Classifier),
    'crowd-image-classifier': class extends ImageClassifier {},
    'crowd-image-classifier-multi-select': multipleOf(ImageClassifier),
    'crowd-input': class extends Field {},
    'crowd-text-area': class extends Field {},
    'crowd-checkbox': class extends Checkable {},
    'crowd-radio-button': class extends Checkable {},
    'crowd-radio-group': RadioGroup,
    'crowd-button': Button,
    'crowd-task-problem': TaskProblem,
    // Last: the form needs the elements in it to be set up.
    'crowd-form': Form,
  };

  const UNSUPPORTED = [
    'bounding-box', 'semantic-segmentation', 'instance-segmentation', 'entity-annotation', 'polygon', 'polyline', 'keypoint',
    'line', 'text-ranking', 'video-object-detection', 'video-object-tracking', 'rekognition-detect-moderation-labels',
  ];

  const define = () => {
    if (!document.querySelector('link[href$="crowd-html-elements.css"]')) {
      const own = document.querySelector('script[src$="crowd-html-elements.js"]')?.getAttribute('src') ?? '/crowd/crowd-html-elements.js';
      document.head.append(make('link', { rel: 'stylesheet', href: own.replace(/\.js$/, '.css') }));
    }
    for (const name of UNSUPPORTED) customElements.define(`crowd-${name}`, class extends UnsupportedElement {});
    for (const [name, element] of Object.entries(ELEMENTS)) customElements.define(name, element);
  };

  // An element is set up from its content, so the definitions wait until the whole page is loaded.
  if (document.readyState === 'loading') document.addEventListener('DOMContentLoaded', define);
  else define();
})();

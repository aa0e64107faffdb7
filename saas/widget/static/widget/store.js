/** What is kept between pages, under one name; in memory where storage is blocked. */
export function store(name) {
  let memory = {};
  const read = () => {
    try {
      const found = JSON.parse(localStorage.getItem(name));
      return found && typeof found === "object" ? found : memory;
    } catch {
      return memory;
    }
  };
  return {
    get: (key) => read()[key],
    set(values) {
      memory = { ...read(), ...values };
      try {
        localStorage.setItem(name, JSON.stringify(memory));
      } catch {} // blocked or full: memory has it
    },
    clear() {
      memory = {};
      try {
        localStorage.removeItem(name);
      } catch {} // blocked: there is nothing
    },
  };
}

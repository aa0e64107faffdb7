/** What is kept between pages, under one name; in memory where storage is blocked. */
export function store(name) {
  let memory = {}, full = false;
  const read = () => {
    if (full) return memory;
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
      } catch {
        full = true; // or blocked: memory has it
      }
    },
    clear() {
      memory = {};
      full = false;
      try {
        localStorage.removeItem(name);
      } catch {} // blocked: there is nothing
    },
  };
}

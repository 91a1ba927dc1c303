/** Keeps what `make` makes for a language and options: the engine's formatters take longer to make than to use. */
export function kept<Options, Made>(make: (formats: string, options: Options) => Made): (formats: string, options: Options) => Made {
  const made = new Map<string, Made>();
  return (formats, options) => {
    const key = formats + JSON.stringify(options);
    let found = made.get(key);
    if (found === undefined) {
      found = make(formats, options);
      made.set(key, found);
    }
    return found;
  };
}

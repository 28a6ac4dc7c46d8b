#include "gateway/app/arguments.h"
#include "gateway/app/files.h"
#include "gateway/app/verbs.h"
#include "gateway/letter/files.h"

#include <fstream>
#include <iostream>

namespace lotsen::app {

int letterVerb(const Words& words) {
  static const Usage kUsage{
      "letter",
      "TEMPLATE DATA",
      "Renders a letter from a template and its source Bundle (templates/README.md). A missing value is an error.",
      {{"--to", "FORMAT", "pdf, html, text or notification; default pdf"},
       {"-o", "FILE", "write there instead of to stdout"},
       {"--now", "INSTANT", "date of the letter; default now"},
       {"--fonts", "DIR", "where the fonts are", true}},
      2,
      2};
  int exit = kFine;
  const auto arguments = Arguments::parse(kUsage, words, exit);
  if (!arguments) return exit;
  const auto format = letter::formatNamed(arguments->one("--to", "pdf"));
  if (!format) {
    std::cerr << "lotsen letter: --to takes pdf, html, text or notification\n";
    return kWrongUse;
  }
  Instant now = SystemClock().now();
  if (arguments->has("--now")) {
    const auto given = parseInstant(arguments->one("--now"));
    if (!given.ok()) {
      std::cerr << "lotsen letter: --now: " << given.error().message << '\n';
      return kWrongUse;
    }
    now = *given;
  }
  letter::LetterFiles files{arguments->positional()[0], arguments->positional()[1], arguments->all("--fonts")};
  if (files.fontDirectories.empty()) files.fontDirectories = defaultFontDirectories();
  fhir::Issues issues;
  const auto rendered = letter::renderFiles(files, *format, now, fhir::Schema::r4(), issues);
  printIssues(files.templatePath, issues);
  if (!rendered.ok()) {
    if (issues.empty()) std::cerr << "lotsen letter: " << rendered.error().message << '\n';
    return rendered.error().code == Code::NotFound ? kWrongUse : kDataFailed;
  }
  if (!arguments->has("-o")) {
    std::cout << rendered->bytes;
    return kFine;
  }
  std::ofstream out(arguments->one("-o"), std::ios::binary);
  out << rendered->bytes;
  if (out.flush().good()) return kFine;
  std::cerr << "lotsen letter: cannot write " << arguments->one("-o") << '\n';
  return kWrongUse;
}

}  // namespace lotsen::app

#include "gateway/app/arguments.h"
#include "gateway/app/golden.h"
#include "gateway/app/verbs.h"

#include <filesystem>
#include <iostream>

namespace lotsen::app {

namespace {

void printReach(std::string_view what, const Reach& reach, std::string_view missed) {
  std::cout << what << reach.all - reach.missed.size() << " of " << reach.all << '\n';
  for (const auto& one : reach.missed) std::cout << "  " << missed << ' ' << one << '\n';
}

/// One line a kind of construct, with what no map uses of it.
void printGrammar(const mapping::GrammarCoverage& grammar) {
  const auto all = mapping::constructs();
  std::cout << "language: " << grammar.used() << " of " << all.size() << " constructs used\n";
  for (std::size_t i = 0; i < all.size();) {
    const auto kind = all[i].kind;
    std::string missing;
    for (; i < all.size() && all[i].kind == kind; ++i) {
      if (grammar.count(i) == 0) missing += (missing.empty() ? "" : ", ") + std::string(all[i].name);
    }
    if (!missing.empty()) std::cout << "  not used: " << kind << ": " << missing << '\n';
  }
}

void print(const GoldenReport& report) {
  std::size_t accepted = 0;
  for (const auto& one : report.cases) {
    accepted += one.accepted ? 1U : 0U;
    if (one.accepted) std::cout << "accepted " << one.name << '\n';
    if (one.faults.empty()) continue;
    std::cout << "FAILED " << one.name << '\n';
    for (const auto& fault : one.faults) std::cout << "  " << fault << '\n';
  }
  std::cout << "cases: " << report.cases.size() - report.failed() << " passed, " << report.failed() << " failed";
  if (accepted > 0) std::cout << ", " << accepted << " accepted";
  std::cout << '\n';
  if (report.failed() > 0) return;  // what failing cases do not reach says nothing
  std::cout << "leaves: " << report.mapped << " mapped, " << report.dropped << " dropped by rule, "
            << report.unaccounted << " unaccounted\n";
  printReach("rules fired: ", report.rules, "never fired:");
  printReach("source fields exercised: ", report.fields, "never exercised:");
  if (report.drops.all > 0) printReach("drops needed: ", report.drops, "never needed:");
  printGrammar(report.grammar);
}

}  // namespace

int mappingVerb(const Words& words) {
  static const Usage kUsage{
      "mapping test",
      "[DIR]",
      "Runs the golden cases below DIR (default: fixtures) and tells what they do not reach; docs/mapping-guide.md.",
      {{"--complete", "", "fail too if a rule, a source field or a drop is not reached"},
       {"--accept", "", "make what came out what is expected"}},
      0,
      1};
  if (words.empty() || words[0] != "test") {
    const bool help = !words.empty() && (words[0] == "--help" || words[0] == "-h");
    (help ? std::cout : std::cerr) << "usage: lotsen mapping test [DIR]; see lotsen mapping test --help\n";
    return help ? kFine : kWrongUse;
  }
  int exit = kFine;
  const auto arguments = Arguments::parse(kUsage, Words(words.begin() + 1, words.end()), exit);
  if (!arguments) return exit;
  const std::string folder = arguments->positional().empty() ? "fixtures" : arguments->positional()[0];
  if (!std::filesystem::is_directory(folder)) {
    std::cerr << "lotsen mapping test: no folder " << folder << '\n';
    return kWrongUse;
  }
  Faults faults;
  const auto report = runGolden(folder, arguments->has("--accept"), faults);
  for (const auto& fault : faults.list) std::cerr << told(fault) << '\n';
  if (!report.cases.empty()) print(report);
  const bool reached = report.rules.missed.empty() && report.fields.missed.empty() && report.drops.missed.empty();
  const bool fine = !faults.any() && report.failed() == 0 && (reached || !arguments->has("--complete"));
  return fine ? kFine : kDataFailed;
}

}  // namespace lotsen::app

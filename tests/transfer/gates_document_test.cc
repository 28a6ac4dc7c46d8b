// docs/gates.md is made from the table of gates. LOTSEN_ACCEPT=1 rewrites it (and fails).
#include "gateway/base/text.h"
#include "gateway/transfer/gates.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

namespace lotsen::transfer {
namespace {

std::string document() {
  std::string text =
      "# Gates\n\n"
      "What holds a transfer back. The code is stable: it stands in the API, in the console and in the log. A transfer "
      "waits with all its\n"
      "shut gates; the record that opens the last one releases it. Made from the table in "
      "`gateway/transfer/gates.cc`.\n\n"
      "| code | what is wrong | what to do | på svenska | source |\n|---|---|---|---|---|\n";
  for (const GateRule& rule : gateRules()) {
    text += "| `" + std::string(rule.code) + "` | " + std::string(rule.text) + " | " + std::string(rule.remedy) +
            " | " + std::string(rule.textSwedish) + " " + std::string(rule.remedySwedish) + " | " +
            std::string(rule.source) + " |\n";
  }
  text += "\n## Where to look\n\nIn the canonical Bundle of the record:\n\n| code | FHIRPath |\n|---|---|\n";
  for (const GateRule& rule : gateRules()) {
    text += "| `" + std::string(rule.code) + "` | `" + std::string(rule.path) + "` |\n";
  }
  return text;
}

TEST(GatesDocument, IsInStepWithTheTable) {
  const std::string path = LOTSEN_SOURCE_DIR "/docs/gates.md";
  std::string written;
  if (readFile(path, written) && written == document()) return;
  if (std::getenv("LOTSEN_ACCEPT") != nullptr) std::ofstream(path, std::ios::binary) << document();
  FAIL() << "docs/gates.md is not what the table says; LOTSEN_ACCEPT=1 rewrites it";
}

}  // namespace
}  // namespace lotsen::transfer

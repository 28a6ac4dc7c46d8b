// libFuzzer: any text is a letter template or is refused with an issue that says where.
#include "gateway/letter/template.h"

#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lotsen;
  if (size > 16u << 10) return 0;
  fhir::Issues issues;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto parsed = letter::Template::parse(text, "fuzz.md", fhir::Schema::r4(), issues);
  if (parsed.ok() == issues.hasErrors()) std::abort();
  if (!parsed) return 0;
  if (parsed->id().empty() || parsed->title().empty()) std::abort();
  // Every place of a value in the body leads to a variable that has a program.
  for (const auto& node : parsed->source().body) {
    for (const auto& line : node.lines) {
      for (const auto& piece : line) {
        if (piece.kind != letter::Piece::Kind::Value) continue;
        if (piece.variable >= parsed->source().variables.size()) std::abort();
        static_cast<void>(parsed->program(piece.variable));
      }
    }
  }
  return 0;
}

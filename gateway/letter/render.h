// The one entry to this folder: a template and the source of a transfer become the bytes of a letter.
// Used by: service (letter legs), app (`lotsen letter`, `lotsen bench letter`). Pure: the same input and instant give
// the same bytes. Thread rule: a Template and a PrintProfile are shared by all workers; Fonts belong to one worker, the
// source to one call. Failure rule: faults of the data and of the paper go to `issues` (each names its variable and
// what to do, none tells a value); the result is then Invalid, its message is the first of them, and the letter is
// parked. Nothing is ever left blank.
#pragma once

#include "gateway/letter/fonts.h"
#include "gateway/letter/profile.h"
#include "gateway/letter/template.h"

#include <optional>
#include <string>
#include <string_view>

namespace lotsen::letter {

enum class Format : std::uint8_t { Pdf, Html, Text, Notification };

/// "pdf", "html", "text", "notification".
std::optional<Format> formatNamed(std::string_view name);

struct RenderOptions {
  Instant now{};                          // creation date of the PDF; now() and today() in expressions
  const PrintProfile* profile = nullptr;  // these two for Format::Pdf only
  Fonts* fonts = nullptr;
};

struct Rendered {
  std::string bytes;
  std::string mediaType;  // "application/pdf", "text/html;charset=utf-8", "text/plain;charset=utf-8"
  std::string title;      // of the letter; the subject of a message. Not personal
  std::size_t pages = 0;  // Format::Pdf
};

/// `source` is a Bundle as templates/README.md describes it. REQUIRES: options.profile and options.fonts for
/// Format::Pdf.
Result<Rendered> render(const Template& letter, const fhir::Document& source, Format format,
                        const RenderOptions& options, fhir::Issues& issues);

}  // namespace lotsen::letter

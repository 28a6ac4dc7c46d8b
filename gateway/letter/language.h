// How a language tells dates, clock times, numbers and plurals, and the few fixed words of a page. By ICU; our own
// patterns where its are wrong in a sentence ("den torsdag 19 november"). Used by: template.h, fill.h, layout.h,
// address.cc. Thread rule: immutable, shared. Failure rule: an impossible or incomplete date, or a number that is none,
// gives nothing; the caller knows which variable it was. Source times with a zone are told in Europe/Stockholm; a date
// without a time is a civil date and stays as it is.
#pragma once

#include "gateway/letter/source.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace lotsen::letter {

class Language {
 public:
  /// nullptr for a language without a row in language.cc.
  static std::shared_ptr<const Language> find(std::string_view tag);
  virtual ~Language() = default;

  /// FHIR date or dateTime; Form::Plain and Form::Date: "19 november 2026", Form::Weekday: "torsdagen den 19 november
  /// 2026".
  virtual std::optional<std::string> date(std::string_view text, Form form) const = 0;
  /// FHIR dateTime or instant with a zone. Form::Plain: "19 november 2026 kl. 13.40", Form::Time: "kl. 13.40".
  virtual std::optional<std::string> dateTime(std::string_view text, Form form) const = 0;
  /// Decimal text as it is told: "1 234,5".
  virtual std::optional<std::string> number(std::string_view text) const = 0;
  /// "1 vecka", "6 veckor"; the blank does not break.
  virtual std::optional<std::string> count(std::string_view text, std::string_view one,
                                           std::string_view other) const = 0;
  /// "Sida 1 av 2".
  virtual std::string page(std::size_t number, std::size_t of) const = 0;
  virtual std::string upper(std::string_view text) const = 0;
};

/// A value as the literal text of a letter: normal form C, every stretch of blanks and line ends one blank, trimmed.
/// Nothing if it has a character that could hide or turn text round: control and format characters (bidi overrides,
/// zero width), private use, unassigned, U+FFFD. Empty if there is nothing but blanks.
std::optional<std::string> literalText(std::string_view value);

/// Whether the text has a letter of any script.
bool hasLetter(std::string_view text);

}  // namespace lotsen::letter

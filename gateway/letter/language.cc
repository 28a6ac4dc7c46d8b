#include "gateway/letter/language.h"

#include "gateway/base/clock.h"
#include "gateway/sweden/civil_time.h"

#include <unicode/normalizer2.h>
#include <unicode/numberformatter.h>
#include <unicode/plurrule.h>
#include <unicode/smpdtfmt.h>
#include <unicode/timezone.h>
#include <unicode/uchar.h>

#include <array>
#include <chrono>

namespace lotsen::letter {

namespace {

/// Patterns in ICU's letters. In Swedish every weekday takes -en in the definite form.
struct Words {
  std::string_view tag;
  const char* locale;
  const char* date;
  const char* weekday;
  const char* time;
  const char* page;
  const char* pageOf;
};
constexpr std::array<Words, 1> kWords{
    {{"sv-SE", "sv_SE", "d MMMM y", "EEEE'en den' d MMMM y", "'kl.' HH.mm", "Sida ", " av "}}};

constexpr const char* kNoBreakSpace = "\xC2\xA0";

std::string utf8(const icu::UnicodeString& text) {
  std::string result;
  text.toUTF8String(result);
  return result;
}

/// Milliseconds since 1970 of a wall clock time, as if the wall stood in Greenwich: what the formats below are set to.
struct WallTime {
  double milliseconds = 0;
};

std::optional<WallTime> civilDate(std::string_view text) {
  const auto date = sweden::parseCivilDate(text);
  if (!date) return std::nullopt;
  return WallTime{
      static_cast<double>(std::chrono::milliseconds(std::chrono::sys_days(*date).time_since_epoch()).count())};
}

std::optional<WallTime> wallTime(std::string_view text) {
  const auto instant = parseInstant(text);
  if (!instant) return std::nullopt;
  return WallTime{static_cast<double>(toMillis(*instant + sweden::utcOffset(*instant)))};
}

class IcuLanguage final : public Language {
 public:
  explicit IcuLanguage(const Words& words)
      : words_(words),
        locale_(words.locale),
        date_(pattern(words.date)),
        weekday_(pattern(words.weekday)),
        time_(pattern(words.time)),
        number_(icu::number::NumberFormatter::withLocale(locale_)) {
    UErrorCode error = U_ZERO_ERROR;
    plurals_.reset(icu::PluralRules::forLocale(locale_, error));
    LOTSEN_CHECK(U_SUCCESS(error));
  }

  std::optional<std::string> date(std::string_view text, Form form) const override {
    auto wall = civilDate(text);
    if (!wall) wall = wallTime(text);
    if (!wall) return std::nullopt;
    return format(form == Form::Weekday ? *weekday_ : *date_, *wall);
  }

  std::optional<std::string> dateTime(std::string_view text, Form form) const override {
    const auto wall = wallTime(text);
    if (!wall) return std::nullopt;
    if (form == Form::Time) return format(*time_, *wall);
    const std::string day = format(form == Form::Weekday ? *weekday_ : *date_, *wall);
    return form == Form::Plain ? day + " " + format(*time_, *wall) : day;
  }

  std::optional<std::string> number(std::string_view text) const override {
    const auto formatted = formatNumber(text);
    if (!formatted) return std::nullopt;
    UErrorCode error = U_ZERO_ERROR;
    return utf8(formatted->toString(error));
  }

  std::optional<std::string> count(std::string_view text, std::string_view one, std::string_view other) const override {
    const auto formatted = formatNumber(text);
    if (!formatted) return std::nullopt;
    UErrorCode error = U_ZERO_ERROR;
    const bool single = plurals_->select(*formatted, error) == icu::UnicodeString("one");
    return utf8(formatted->toString(error)) + kNoBreakSpace + std::string(single ? one : other);
  }

  std::string page(std::size_t number, std::size_t of) const override {
    return words_.page + std::to_string(number) + words_.pageOf + std::to_string(of);
  }

  std::string upper(std::string_view text) const override {
    return utf8(icu::UnicodeString::fromUTF8(icu::StringPiece(text.data(), static_cast<int32_t>(text.size())))
                    .toUpper(locale_));
  }

 private:
  std::unique_ptr<icu::SimpleDateFormat> pattern(const char* text) const {
    UErrorCode error = U_ZERO_ERROR;
    auto format = std::make_unique<icu::SimpleDateFormat>(icu::UnicodeString(text), locale_, error);
    LOTSEN_CHECK(U_SUCCESS(error));
    format->setTimeZone(*icu::TimeZone::getGMT());
    return format;
  }

  static std::string format(const icu::SimpleDateFormat& format, WallTime at) {
    icu::UnicodeString text;
    format.format(at.milliseconds, text);
    return utf8(text);
  }

  std::optional<icu::number::FormattedNumber> formatNumber(std::string_view text) const {
    if (text.empty() || text.find_first_not_of("0123456789.-+eE") != std::string_view::npos) return std::nullopt;
    UErrorCode error = U_ZERO_ERROR;
    auto formatted = number_.formatDecimal(icu::StringPiece(text.data(), static_cast<int32_t>(text.size())), error);
    if (U_FAILURE(error)) return std::nullopt;
    return formatted;
  }

  const Words& words_;
  icu::Locale locale_;
  std::unique_ptr<icu::SimpleDateFormat> date_, weekday_, time_;
  icu::number::LocalizedNumberFormatter number_;
  std::unique_ptr<icu::PluralRules> plurals_;
};

}  // namespace

std::shared_ptr<const Language> Language::find(std::string_view tag) {
  for (const Words& words : kWords) {
    if (words.tag == tag) return std::make_shared<IcuLanguage>(words);
  }
  return nullptr;
}

std::optional<std::string> literalText(std::string_view value) {
  constexpr UChar32 kNonJoiner = 0x200c;  // spelling in Persian and others
  constexpr UChar32 kJoiner = 0x200d;
  const auto text = icu::UnicodeString::fromUTF8(icu::StringPiece(value.data(), static_cast<int32_t>(value.size())));
  icu::UnicodeString kept;
  bool visible = false;
  bool blank = false;
  for (int32_t at = 0; at < text.length(); at = text.moveIndex32(at, 1)) {
    const UChar32 c = text.char32At(at);
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == 0x2028 || c == 0x2029) {
      blank = true;
      continue;
    }
    const auto category = u_charType(c);
    const bool hidden = category == U_FORMAT_CHAR && c != kNonJoiner && c != kJoiner;
    if (hidden || category == U_CONTROL_CHAR || category == U_PRIVATE_USE_CHAR || category == U_SURROGATE ||
        category == U_UNASSIGNED || c == 0xfffd) {
      return std::nullopt;
    }
    if (blank && !kept.isEmpty()) kept.append(u' ');
    blank = false;
    kept.append(c);
    visible = visible || (u_isUWhiteSpace(c) == 0 && category != U_FORMAT_CHAR);
  }
  if (!visible) return std::string();
  UErrorCode error = U_ZERO_ERROR;
  const icu::Normalizer2* composed = icu::Normalizer2::getNFCInstance(error);
  LOTSEN_CHECK(U_SUCCESS(error));
  return utf8(composed->normalize(kept, error));
}

bool hasLetter(std::string_view text) {
  const auto wide = icu::UnicodeString::fromUTF8(icu::StringPiece(text.data(), static_cast<int32_t>(text.size())));
  for (int32_t at = 0; at < wide.length(); at = wide.moveIndex32(at, 1)) {
    if (u_isalpha(wide.char32At(at)) != 0) return true;
  }
  return false;
}

}  // namespace lotsen::letter

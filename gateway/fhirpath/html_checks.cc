#include "gateway/fhirpath/html_checks.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace lotsen::fhirpath {
namespace {

constexpr std::string_view kElements[] = {
    "p",       "br",    "div",        "h1",     "h2",      "h3",    "h4",      "h5",       "h6",  "a",     "span",
    "b",       "em",    "i",          "strong", "small",   "big",   "tt",      "dfn",      "q",   "var",   "abbr",
    "acronym", "cite",  "blockquote", "hr",     "address", "bdo",   "kbd",     "sub",      "sup", "ul",    "ol",
    "li",      "dl",    "dt",         "dd",     "pre",     "table", "caption", "colgroup", "col", "thead", "tr",
    "tfoot",   "tbody", "th",         "td",     "code",    "samp",  "img",     "map",      "area"};
constexpr std::string_view kAttributes[] = {"title",  "style",     "class",    "id",    "lang",     "xml:lang",
                                            "dir",    "accesskey", "tabindex", "span",  "width",    "align",
                                            "valign", "char",      "charoff",  "abbr",  "axis",     "headers",
                                            "scope",  "rowspan",   "colspan",  "xmlns", "xml:space"};
constexpr std::pair<std::string_view, std::string_view> kElementAttributes[] = {{"a", "href"},
                                                                                {"a", "name"},
                                                                                {"img", "src"},
                                                                                {"img", "alt"},
                                                                                {"img", "height"},
                                                                                {"img", "border"},
                                                                                {"img", "usemap"},
                                                                                {"table", "border"},
                                                                                {"table", "cellpadding"},
                                                                                {"table", "cellspacing"},
                                                                                {"table", "summary"},
                                                                                {"table", "frame"},
                                                                                {"table", "rules"},
                                                                                {"q", "cite"},
                                                                                {"blockquote", "cite"},
                                                                                {"map", "name"},
                                                                                {"area", "shape"},
                                                                                {"area", "coords"},
                                                                                {"area", "href"},
                                                                                {"area", "alt"},
                                                                                {"ol", "type"},
                                                                                {"ol", "start"},
                                                                                {"ul", "type"},
                                                                                {"td", "bgcolor"},
                                                                                {"tr", "bgcolor"},
                                                                                {"td", "nowrap"},
                                                                                {"th", "nowrap"}};
constexpr std::size_t kMaxDepth = 200;

template <typename List, typename Wanted>
bool oneOf(const List& list, const Wanted& wanted) {
  return std::find(std::begin(list), std::end(list), wanted) != std::end(list);
}

bool isSpace(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}
bool isNameCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == ':' || c == '-' ||
         c == '_' || c == '.';
}

class Checker {
 public:
  explicit Checker(std::string_view text) : text_(text) {}

  bool run() {
    skipSpace();
    if (!text_.substr(at_).starts_with("<div")) return false;
    while (at_ < text_.size()) {
      if (text_[at_] != '<') {
        if (!characterData()) return false;
      } else if (text_.substr(at_).starts_with("<!--")) {
        const std::size_t end = text_.find("-->", at_ + 4);
        if (end == std::string_view::npos) return false;
        at_ = end + 3;
      } else if (!tag()) {
        return false;
      }
    }
    return open_.empty() && content_;
  }

 private:
  bool characterData() {
    if (open_.empty()) {  // before or after the div only space may stand
      skipSpace();
      return at_ >= text_.size();
    }
    if (text_[at_] == '&') {
      const std::size_t end = text_.find(';', at_);
      if (end == std::string_view::npos || end - at_ > 12 || end == at_ + 1) return false;
      at_ = end;
      content_ = true;
    } else if (!isSpace(text_[at_])) {
      content_ = true;
    }
    ++at_;
    return true;
  }

  std::string_view name() {
    const std::size_t start = at_;
    while (at_ < text_.size() && isNameCharacter(text_[at_])) ++at_;
    return text_.substr(start, at_ - start);
  }

  bool tag() {
    ++at_;
    if (at_ < text_.size() && text_[at_] == '/') {
      ++at_;
      const std::string_view closing = name();
      skipSpace();
      if (open_.empty() || open_.back() != closing || !take('>')) return false;
      open_.pop_back();
      return true;
    }
    const std::string_view element = name();
    if (!oneOf(kElements, element) || (open_.empty() && (element != "div" || started_))) return false;
    started_ = true;
    if (element == "img") content_ = true;
    for (;;) {
      skipSpace();
      if (take('>')) {
        open_.push_back(element);
        return open_.size() <= kMaxDepth;
      }
      if (take('/')) return take('>') && !open_.empty();
      if (!attribute(element)) return false;
    }
  }

  bool attribute(std::string_view element) {
    const std::string_view attribute = name();
    if (attribute.empty() || !take('=')) return false;
    if (at_ >= text_.size() || (text_[at_] != '"' && text_[at_] != '\'')) return false;
    const std::size_t end = text_.find(text_[at_], at_ + 1);
    if (end == std::string_view::npos) return false;
    const std::string_view value = text_.substr(at_ + 1, end - at_ - 1);
    at_ = end + 1;
    if (value.find('<') != std::string_view::npos || value.starts_with("javascript:")) return false;
    return oneOf(kAttributes, attribute) || attribute.starts_with("xmlns:") ||
           oneOf(kElementAttributes, std::pair(element, attribute));
  }

  void skipSpace() {
    while (at_ < text_.size() && isSpace(text_[at_])) ++at_;
  }
  bool take(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::vector<std::string_view> open_;
  bool started_ = false;
  bool content_ = false;
};

}  // namespace

bool isAllowedNarrative(std::string_view xhtml) {
  return Checker(xhtml).run();
}

}  // namespace lotsen::fhirpath

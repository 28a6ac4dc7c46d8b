#include "gateway/fhir/xml_narrative.h"

#include "gateway/xml/writer.h"

namespace lotsen::fhir {

namespace {

constexpr std::string_view kXml = "http://www.w3.org/XML/1998/namespace";

/// The '>' that ends the tag at `start`; one in an attribute's value does not.
std::size_t endOfTag(std::string_view text, std::size_t start) {
  char quote = 0;
  for (std::size_t at = start; at < text.size(); ++at) {
    const char c = text[at];
    if (quote != 0) {
      if (c == quote) quote = 0;
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == '>') {
      return at;
    }
  }
  return std::string_view::npos;
}

/// True if the text is a document of its own: no names or prefixes from around it.
bool standsAlone(std::string_view text, std::string_view space) {
  class Accept final : public xml::Handler {
   public:
    explicit Accept(std::string_view wanted) : space_(wanted) {}
    bool startElement(std::string_view found, std::string_view, std::span<const xml::Attribute>, xml::Place) override {
      return found == space_;
    }
    bool endElement(xml::Place) override { return true; }
    bool text(std::string_view, xml::Place) override { return true; }

   private:
    std::string_view space_;
  } accept(space);
  return !xml::parse(text, {}, accept);
}

}  // namespace

std::size_t Offsets::at(xml::Place place) {
  while (line_ < place.line && lineStart_ < text_.size()) {
    const auto end = text_.find_first_of("\r\n", lineStart_);
    if (end == std::string_view::npos) return text_.size();
    lineStart_ = end + (text_.substr(end, 2) == "\r\n" ? 2 : 1);
    ++line_;
  }
  std::size_t offset = lineStart_;
  for (std::uint32_t left = place.column - 1; left > 0 && offset < text_.size(); --left) {
    ++offset;
    while (offset < text_.size() && (static_cast<unsigned char>(text_[offset]) & 0xc0) == 0x80) ++offset;
  }
  return offset;
}

bool Narrative::start(std::string_view space, std::string_view name, std::span<const xml::Attribute> attributes,
                      xml::Place at) {
  const bool outermost = names_.empty();
  if (outermost) {
    space_ = space;
    start_ = offsets_.at(at);
    rewritten_.clear();
    original_ = {};
  }
  closeTag();
  names_.emplace_back(name);
  rewritten_ += '<';
  rewritten_ += name;
  inTag_ = true;
  if (outermost) {
    rewritten_ += " xmlns=\"";
    xml::appendValue(rewritten_, space);
    rewritten_ += '"';
  }
  bool ours = space == space_;
  for (const xml::Attribute& attribute : attributes) {
    ours = ours && (attribute.space.empty() || attribute.space == kXml);
    rewritten_ += attribute.space == kXml ? " xml:" : " ";
    rewritten_ += attribute.name;
    rewritten_ += "=\"";
    xml::appendValue(rewritten_, attribute.value);
    rewritten_ += '"';
  }
  return ours;
}

void Narrative::characters(std::string_view characters) {
  closeTag();
  xml::appendText(rewritten_, characters);
}

bool Narrative::end(xml::Place at) {
  const std::string name = std::move(names_.back());
  names_.pop_back();
  if (inTag_) {
    rewritten_ += "/>";
    inTag_ = false;
  } else {
    rewritten_ += "</" + name + ">";
  }
  if (!names_.empty()) return false;
  const std::string_view found = original(name, at);
  if (found.starts_with("<" + name) && standsAlone(found, space_)) original_ = found;
  return true;
}

void Narrative::closeTag() {
  if (inTag_) rewritten_ += '>';
  inTag_ = false;
}

/// From the start tag to the end tag at `end`. Without an end tag of its own the whole is one empty tag.
std::string_view Narrative::original(const std::string& name, xml::Place end) {
  const std::size_t at = offsets_.at(end);
  const auto close = source_.substr(at).starts_with("</" + name) ? source_.find('>', at) : endOfTag(source_, start_);
  if (close == std::string_view::npos || close < start_) return {};
  return source_.substr(start_, close + 1 - start_);
}

}  // namespace lotsen::fhir

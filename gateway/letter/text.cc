#include "gateway/letter/text.h"

namespace lotsen::letter {

namespace {

std::string plain(const Inlines& text) {
  std::string result;
  for (const Inline& part : text) {
    result += part.lineBreak ? "\n" : part.text;
    if (!part.link.empty() && part.text != part.link && part.text != shownAddress(part.link)) {
      result += " (" + shownAddress(part.link) + ")";
    }
  }
  return result;
}

void appendEscaped(std::string& out, const std::string& text) {
  for (const char c : text) {
    switch (c) {
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '&': out += "&amp;"; break;
      case '"': out += "&quot;"; break;
      default: out += c;
    }
  }
}

std::string html(const Inlines& text) {
  std::string result;
  for (const Inline& part : text) {
    if (part.lineBreak) {
      result += "<br>";
      continue;
    }
    if (!part.link.empty()) {
      result += "<a href=\"";
      appendEscaped(result, part.link);
      result += "\">";
    }
    if (part.strong) result += "<strong>";
    appendEscaped(result, part.text);
    if (part.strong) result += "</strong>";
    if (!part.link.empty()) result += "</a>";
  }
  return result;
}

std::string wrapped(const std::string& tag, const std::string& inside) {
  return "<" + tag + ">" + inside + "</" + tag + ">";
}

}  // namespace

std::string plainText(const Document& document) {
  std::string result;
  const auto paragraph = [&](const std::string& text) {
    if (!result.empty()) result += "\n";
    result += text + "\n";
  };
  for (std::size_t i = 0; i < document.blocks.size(); ++i) {
    const Block& block = document.blocks[i];
    if (block.kind == Node::Kind::Heading || block.kind == Node::Kind::Paragraph) {
      paragraph(plain(block.lines.front()));
    } else {
      result += "\n";
      for (std::size_t item = 0; item < block.lines.size(); ++item) {
        result += block.kind == Node::Kind::Bullets ? "- " : std::to_string(item + 1) + ". ";
        result += plain(block.lines[item]) + "\n";
      }
    }
    if (i != 0 || document.reference.empty()) continue;
    result += "\n";
    for (const Inlines& line : document.reference) result += plain(line) + "\n";
  }
  return result;
}

std::string safeHtml(const Document& document) {
  std::string result;
  for (std::size_t i = 0; i < document.blocks.size(); ++i) {
    const Block& block = document.blocks[i];
    if (block.kind == Node::Kind::Heading) {
      result += wrapped("h" + std::to_string(block.level), html(block.lines.front()));
    } else if (block.kind == Node::Kind::Paragraph) {
      result += wrapped("p", html(block.lines.front()));
    } else {
      std::string items;
      for (const Inlines& item : block.lines) items += wrapped("li", html(item));
      result += wrapped(block.kind == Node::Kind::Bullets ? "ul" : "ol", items);
    }
    result += "\n";
    if (i != 0 || document.reference.empty()) continue;
    std::string lines;
    for (const Inlines& line : document.reference) lines += (lines.empty() ? "" : "<br>") + html(line);
    result += wrapped("p", lines) + "\n";
  }
  return result;
}

}  // namespace lotsen::letter

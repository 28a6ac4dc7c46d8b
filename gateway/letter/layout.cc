#include "gateway/letter/layout.h"

#include "gateway/letter/address.h"
#include "gateway/letter/language.h"
#include "gateway/letter/shape.h"

#include <algorithm>

namespace lotsen::letter {

namespace {

// Measures that follow from the size of the text, as factors of it.
constexpr double kHeadingSize[] = {1.5, 1.17, 1.0};
constexpr double kHeadingSpaceBefore[] = {0, 0.85, 0.6};  // of the leading
constexpr double kHeadingSpaceAfter[] = {0.45, 0.15, 0.1};
constexpr double kParagraphSpace = 0.5;
constexpr double kItemSpace = 0.2;
constexpr double kIndent = 1.4;
constexpr double kCapHeight = 0.71;  // of the faces in use: centres a line of text in its leading
constexpr double kUnderlineDepth = 0.12;
constexpr double kUnderlineWidth = 0.06;
constexpr std::size_t kTogether = 2;  // lines of a paragraph that stay together at either end of a page

Role headingRole(std::uint8_t level) {
  return level == 1 ? Role::Heading1 : level == 2 ? Role::Heading2 : Role::Heading3;
}

/// Text with the address of every link written out after it, as paper must show it.
Inlines withAddresses(const Inlines& text) {
  Inlines result;
  for (const Inline& part : text) {
    result.push_back(part);
    if (part.link.empty() || shownAddress(part.link) == part.text || part.link == part.text) continue;
    Inline address;
    address.text = " (" + shownAddress(part.link) + ")";
    address.variable = part.variable;
    address.line = part.line;
    result.push_back(std::move(address));
  }
  return result;
}

std::vector<std::string> plainLines(const std::vector<Inlines>& lines) {
  std::vector<std::string> result;
  for (const Inlines& line : lines) {
    std::string& text = result.emplace_back();
    for (const Inline& part : line) text += part.lineBreak ? " " : part.text;
  }
  return result;
}

class Pager {
 public:
  Pager(const Document& document, const PrintProfile& profile, Fonts& fonts, fhir::Issues& issues)
      : document_(document),
        profile_(profile),
        issues_(issues),
        language_(Language::find(document.language)),
        shaper_(fonts, document.file, document.language, list_.fonts, issues) {}

  Result<DisplayList> run() {
    if (!language_) return fail(Code::Invalid, "letters in " + document_.language + " are not supported");
    list_.title = document_.title;
    list_.language = document_.language;
    list_.width = profile_.width;
    list_.height = profile_.height;
    root_ = element(Role::Document, kDecoration);
    newPage();
    head();
    for (std::size_t i = 0; i < document_.blocks.size(); ++i) block(i);
    feet();
    if (list_.pages.size() > profile_.maxPages) {
      fault("letter-overflow", "too-long",
            "the letter takes " + std::to_string(list_.pages.size()) + " pages, the print profile allows " +
                std::to_string(profile_.maxPages) + "; shorten the template or the texts that it is given");
    }
    if (faulty_ || !shaper_.clean()) return fail(Code::Invalid, "the letter cannot be laid out; its issues say why");
    return std::move(list_);
  }

 private:
  void fault(std::string_view rule, std::string_view code, std::string text) {
    faulty_ = true;
    fhir::Issue issue;
    issue.code = code;
    issue.rule = rule;
    issue.text = std::move(text);
    issue.source = document_.file;
    issues_.add(std::move(issue));
  }

  ElementIndex element(Role role, ElementIndex parent, std::string link = {}) {
    list_.elements.push_back({role, parent, std::move(link)});
    return static_cast<ElementIndex>(list_.elements.size() - 1);
  }

  const Box& box() const { return list_.pages.size() == 1 ? profile_.firstPage : profile_.nextPages; }

  void newPage() {
    list_.pages.emplace_back();
    y_ = box().y;
  }

  /// Puts a line with its top at `y`. Links get elements of their own under `parent`.
  void place(ShapedLine& line, Page& page, ElementIndex parent, double x, double y, const TextSize& size) {
    const double baseline = y + (size.leading + kCapHeight * size.size) / 2;
    for (ShapedRun& shaped : line.runs) {
      GlyphRun& run = shaped.run;
      run.x += x;
      run.baseline = baseline;
      run.element = parent;
      if (!shaped.link.empty() && parent != kDecoration) {
        const StructureElement& last = list_.elements.back();
        const bool goesOn = last.role == Role::Link && last.parent == parent && last.link == shaped.link;
        run.element =
            goesOn ? static_cast<ElementIndex>(list_.elements.size() - 1) : element(Role::Link, parent, shaped.link);
        page.rules.push_back(
            {{run.x, baseline + kUnderlineDepth * size.size, run.width, kUnderlineWidth * size.size}, 0});
      }
      page.runs.push_back(std::move(run));
    }
  }

  /// Short lines at a fixed place on the first page.
  ElementIndex column(const std::vector<Inlines>& lines, const Shaper::Style& style, double x, double y, double width) {
    const ElementIndex paragraph = element(Role::Paragraph, root_);
    for (std::size_t i = 0; i < lines.size(); ++i) {
      Inlines text = lines[i];
      if (i + 1 < lines.size()) {
        Inline blank;
        blank.text = " ";  // keeps the lines apart for whoever reads the text out
        text.push_back(std::move(blank));
      }
      for (ShapedLine& line : shaper_.shape(text, style, width)) {
        place(line, list_.pages.front(), paragraph, x, y, style.size);
        y += style.size.leading;
      }
    }
    return paragraph;
  }

  void head() {
    const Shaper::Style small{profile_.small, false, false};
    column(document_.sender, small, profile_.sender.x, profile_.sender.y, profile_.sender.width);
    const auto printed = postalAddress(plainLines(document_.address), document_.file, issues_);
    if (printed.empty()) {
      faulty_ = true;
    } else {
      std::vector<Inlines> lines = document_.address;
      for (std::size_t i = 0; i < lines.size(); ++i) {
        Inline text = lines[i].front();
        text.text = printed[i];
        lines[i] = {std::move(text)};
      }
      const double height = static_cast<double>(lines.size()) * profile_.address.leading;
      const double top = profile_.window.y + (profile_.window.height - height) / 2;
      list_.address = column(lines, {profile_.address, false, true}, profile_.addressLeft, top, 0);
    }
    if (!document_.reference.empty()) {
      column(document_.reference, small, profile_.reference.x, profile_.reference.y, profile_.reference.width);
    }
    for (const Rule& fold : profile_.folds) list_.pages.front().rules.push_back(fold);
  }

  /// The height that must be free so that what begins a block does not stand alone at the foot of a page.
  double beginning(std::size_t index) {
    if (index >= document_.blocks.size()) return 0;
    const Block& next = document_.blocks[index];
    if (next.kind == Node::Kind::Heading) return headingHeight(next) + beginning(index + 1);
    // A list shows at least two items, or the whole of its first one.
    const bool list = next.kind != Node::Kind::Paragraph;
    return (static_cast<double>(list ? kTogether + 1 : kTogether) + kItemSpace) * profile_.text.leading;
  }

  TextSize headingSize(const Block& block) const {
    const double size = profile_.text.size * kHeadingSize[block.level - 1];
    return {size, std::max(profile_.text.leading, size * 1.3)};
  }

  double headingHeight(const Block& block) const {
    return headingSize(block).leading +
           (kHeadingSpaceBefore[block.level - 1] + kHeadingSpaceAfter[block.level - 1]) * profile_.text.leading;
  }

  void block(std::size_t index) {
    const Block& block = document_.blocks[index];
    const double leading = profile_.text.leading;
    if (block.kind == Node::Kind::Heading) {
      const TextSize size = headingSize(block);
      if (y_ + headingHeight(block) + beginning(index + 1) > box().bottom()) newPage();
      if (y_ > box().y) y_ += kHeadingSpaceBefore[block.level - 1] * leading;
      auto lines = shaper_.shape(withAddresses(block.lines.front()), {size, true, false}, box().width);
      flow(lines, element(headingRole(block.level), root_), 0, size);
      y_ += kHeadingSpaceAfter[block.level - 1] * leading;
    } else if (block.kind == Node::Kind::Paragraph) {
      auto lines = shaper_.shape(withAddresses(block.lines.front()), {profile_.text, false, false}, box().width);
      flow(lines, element(Role::Paragraph, root_), 0, profile_.text);
      y_ += kParagraphSpace * leading;
    } else {
      items(block);
    }
  }

  void items(const Block& block) {
    const double indent = kIndent * profile_.text.size;
    const Shaper::Style style{profile_.text, false, false};
    const ElementIndex parent = element(Role::List, root_);
    for (std::size_t i = 0; i < block.lines.size(); ++i) {
      const ElementIndex item = element(Role::ListItem, parent);
      Inline sign;
      sign.text = block.kind == Node::Kind::Bullets ? "• " : std::to_string(i + 1) + ". ";
      auto label = shaper_.shape({sign}, style, 0);
      auto lines = shaper_.shape(withAddresses(block.lines[i]), style, box().width - indent);
      if (!shaper_.clean()) return;
      if (y_ + static_cast<double>(std::min(kTogether, lines.size())) * profile_.text.leading > box().bottom())
        newPage();
      place(label.front(), list_.pages.back(), element(Role::Label, item), box().x, y_, profile_.text);
      flow(lines, element(Role::ListBody, item), indent, profile_.text);
      y_ += kItemSpace * profile_.text.leading;
    }
    y_ += (kParagraphSpace - kItemSpace) * profile_.text.leading;
  }

  /// Lines of one block one below the other, over as many pages as it takes, `kTogether` lines at least on either side
  /// of a break.
  void flow(std::vector<ShapedLine>& lines, ElementIndex parent, double indent, const TextSize& size) {
    std::size_t at = 0;
    while (at < lines.size()) {
      const std::size_t left = lines.size() - at;
      const double room = std::max(0.0, box().bottom() - y_ + 0.01);
      std::size_t fit = std::min(left, static_cast<std::size_t>(room / size.leading));
      if (fit < left) {
        if (left - fit < kTogether) fit = left > kTogether ? left - kTogether : 0;
        if (fit < kTogether) fit = 0;
        if (fit == 0 && y_ <= box().y)
          fit = left;  // a page that holds too little: the profile's fault, seen as an overflow
      }
      for (std::size_t i = 0; i < fit; ++i, ++at) {
        place(lines[at], list_.pages.back(), parent, box().x + indent, y_, size);
        y_ += size.leading;
      }
      if (at < lines.size()) newPage();
    }
  }

  /// Foot of every page, when the number of pages is known.
  void feet() {
    const Shaper::Style small{profile_.small, false, false};
    for (std::size_t i = 0; i < list_.pages.size(); ++i) {
      double y = profile_.footer.y;
      for (const Inlines& text : document_.footer) {
        for (ShapedLine& line : shaper_.shape(text, small, profile_.footer.width)) {
          place(line, list_.pages[i], kDecoration, profile_.footer.x, y, profile_.small);
          y += profile_.small.leading;
        }
      }
      Inline number;
      number.text = language_->page(i + 1, list_.pages.size());
      auto lines = shaper_.shape({number}, small, 0);
      if (lines.empty()) return;
      place(lines.front(), list_.pages[i], kDecoration, profile_.footer.x + profile_.footer.width - lines.front().width,
            profile_.footer.y, profile_.small);
    }
  }

  const Document& document_;
  const PrintProfile& profile_;
  fhir::Issues& issues_;
  std::shared_ptr<const Language> language_;
  DisplayList list_;
  Shaper shaper_;
  ElementIndex root_ = 0;
  double y_ = 0;
  bool faulty_ = false;
};

}  // namespace

std::string shownAddress(const std::string& link) {
  std::string text = link.substr(std::string_view("https://").size());
  if (text.ends_with('/')) text.pop_back();
  return text;
}

Result<DisplayList> layOut(const Document& document, const PrintProfile& profile, Fonts& fonts, fhir::Issues& issues) {
  return Pager(document, profile, fonts, issues).run();
}

}  // namespace lotsen::letter

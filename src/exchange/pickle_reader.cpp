#include "exchange/pickle_reader.hpp"

#include <bit>
#include <map>

#include "core/error.hpp"
#include "core/text.hpp"
#include "exchange/pickle_callables.hpp"
#include "exchange/pickle_cursor.hpp"

namespace effuse {
namespace {

constexpr std::size_t kMaxPickle_bytes = 16 << 20;
constexpr std::size_t kMaxNodes = 1'000'000;

/// The pickle machine: a stack, marks on it, a memo. Opcodes are those of Python's pickletools.
class PickleMachine {
 public:
  PickleMachine(std::string_view bytes, const std::string& where)
      : cursor_(bytes, where), where_(where) {}

  PickleDocument run();

 private:
  [[noreturn]] void reject(const std::string& problem) const { cursor_.reject(problem); }
  [[noreturn]] void reject_callable(const std::string& module, const std::string& name) const;

  void push(PickleNode node);
  void push_existing(PickleNode* node);
  PickleNode* pop();
  PickleNode* top();
  std::size_t take_mark();
  std::vector<const PickleNode*> pop_from(std::size_t place);
  std::vector<const PickleNode*> pop_count(std::size_t count);

  void check_protocol();
  bool do_constant(unsigned char op);
  bool do_number(unsigned char op);
  bool do_text(unsigned char op);
  bool do_tuple(unsigned char op);
  bool do_container(unsigned char op);
  bool do_memo(unsigned char op);
  bool do_call(unsigned char op);

  void set_items(PickleNode* target, const std::vector<const PickleNode*>& items);
  void append_items(PickleNode* target, const std::vector<const PickleNode*>& items);
  void memoize(std::uint64_t index);
  void recall(std::uint64_t index);
  void find_callable(const std::string& module, const std::string& name);
  void find_callable_on_stack();
  void reduce();
  void build();

  PickleCursor cursor_;
  std::string where_;
  PickleDocument document_;
  std::vector<PickleNode*> stack_;
  std::vector<std::size_t> marks_;
  std::map<std::uint64_t, PickleNode*> memo_;
};

void PickleMachine::reject_callable(const std::string& module, const std::string& name) const {
  throw CheckpointError(
      cat(where_, " names the callable ", module, ".", name,
          ", which weights do not need. Such a file can run any program where it is loaded as a "
          "pickle, so it is refused; nothing in it was executed. If you trust its source, save the "
          "state_dict alone again with torch.save"));
}

void PickleMachine::push(PickleNode node) {
  if (document_.nodes.size() >= kMaxNodes) reject("more than a million values");
  document_.nodes.push_back(std::move(node));
  stack_.push_back(&document_.nodes.back());
}

void PickleMachine::push_existing(PickleNode* node) {
  if (stack_.size() >= kMaxNodes) reject("more than a million values");
  stack_.push_back(node);
}

PickleNode* PickleMachine::pop() {
  PickleNode* node = top();
  stack_.pop_back();
  return node;
}

/// Values below the newest mark are out of reach, as in Python.
PickleNode* PickleMachine::top() {
  const std::size_t floor = marks_.empty() ? 0 : marks_.back();
  if (stack_.size() <= floor) reject("it takes a value that is not there");
  return stack_.back();
}

std::size_t PickleMachine::take_mark() {
  if (marks_.empty()) reject("it goes back to a mark that is not there");
  const std::size_t place = marks_.back();
  marks_.pop_back();
  return place;
}

std::vector<const PickleNode*> PickleMachine::pop_from(std::size_t place) {
  std::vector<const PickleNode*> items(stack_.begin() + static_cast<std::ptrdiff_t>(place),
                                       stack_.end());
  stack_.resize(place);
  return items;
}

std::vector<const PickleNode*> PickleMachine::pop_count(std::size_t count) {
  const std::size_t floor = marks_.empty() ? 0 : marks_.back();
  if (stack_.size() - floor < count) reject("it takes a value that is not there");
  return pop_from(stack_.size() - count);
}

bool PickleMachine::do_constant(unsigned char op) {
  switch (op) {
    case 'N':
      push({PickleNone{}});
      return true;
    case 0x88:
      push({true});
      return true;
    case 0x89:
      push({false});
      return true;
    case '}':
      push({PickleDict{}});
      return true;
    case ']':
      push({PickleList{}});
      return true;
    case ')':
      push({PickleTuple{}});
      return true;
    case '(':
      if (marks_.size() >= kMaxNodes) reject("more than a million marks");
      marks_.push_back(stack_.size());
      return true;
    case '0':
      pop();
      return true;
    case '1':
      pop_from(take_mark());
      return true;
    default:
      return false;
  }
}

bool PickleMachine::do_number(unsigned char op) {
  switch (op) {
    case 'K':
      push({static_cast<std::int64_t>(cursor_.unsigned_number(1))});
      return true;
    case 'M':
      push({static_cast<std::int64_t>(cursor_.unsigned_number(2))});
      return true;
    case 'J':
      push({cursor_.signed_number(4)});
      return true;
    case 0x8a:
      push({cursor_.signed_number(cursor_.unsigned_number(1))});
      return true;
    case 0x8b:
      push({cursor_.signed_number(cursor_.unsigned_number(4))});
      return true;
    case 'G': {
      std::uint64_t bits = 0;
      for (const char byte : cursor_.take(8)) bits = bits << 8 | static_cast<unsigned char>(byte);
      push({std::bit_cast<double>(bits)});
      return true;
    }
    default:
      return false;
  }
}

bool PickleMachine::do_text(unsigned char op) {
  switch (op) {
    case 'X':
      push({cursor_.text(4)});
      return true;
    case 0x8c:
      push({cursor_.text(1)});
      return true;
    case 0x8d:
      push({cursor_.text(8)});
      return true;
    case 'T':
    case 'B':
      push({PickleBytes{cursor_.text(4)}});
      return true;
    case 'U':
    case 'C':
      push({PickleBytes{cursor_.text(1)}});
      return true;
    case 0x8e:
      push({PickleBytes{cursor_.text(8)}});
      return true;
    default:
      return false;
  }
}

bool PickleMachine::do_tuple(unsigned char op) {
  switch (op) {
    case 't':
      push({PickleTuple{pop_from(take_mark())}});
      return true;
    case 0x85:
      push({PickleTuple{pop_count(1)}});
      return true;
    case 0x86:
      push({PickleTuple{pop_count(2)}});
      return true;
    case 0x87:
      push({PickleTuple{pop_count(3)}});
      return true;
    default:
      return false;
  }
}

bool PickleMachine::do_container(unsigned char op) {
  switch (op) {
    case 'a': {
      const auto items = pop_count(1);
      append_items(top(), items);
      return true;
    }
    case 'e': {
      const auto items = pop_from(take_mark());
      append_items(top(), items);
      return true;
    }
    case 's': {
      const auto items = pop_count(2);
      set_items(top(), items);
      return true;
    }
    case 'u': {
      const auto items = pop_from(take_mark());
      set_items(top(), items);
      return true;
    }
    default:
      return false;
  }
}

void PickleMachine::append_items(PickleNode* target, const std::vector<const PickleNode*>& items) {
  auto* list = std::get_if<PickleList>(&target->value);
  if (list == nullptr) reject(cat("an item is appended to ", kind_of(*target)));
  list->items.insert(list->items.end(), items.begin(), items.end());
}

void PickleMachine::set_items(PickleNode* target, const std::vector<const PickleNode*>& items) {
  auto* dict = std::get_if<PickleDict>(&target->value);
  if (dict == nullptr) reject(cat("a key is set in ", kind_of(*target)));
  if (items.size() % 2 != 0) reject("a key without a value");
  for (std::size_t i = 0; i < items.size(); i += 2) {
    const PickleNode& key = *items[i];
    if (!key.as<std::string>() && !key.as<std::int64_t>() && !key.as<bool>()) {
      reject(cat("a key that is ", kind_of(key)));
    }
    dict->items.emplace_back(&key, items[i + 1]);
  }
}

bool PickleMachine::do_memo(unsigned char op) {
  switch (op) {
    case 'q':
      memoize(cursor_.unsigned_number(1));
      return true;
    case 'r':
      memoize(cursor_.unsigned_number(4));
      return true;
    case 0x94:
      memoize(memo_.size());
      return true;
    case 'h':
      recall(cursor_.unsigned_number(1));
      return true;
    case 'j':
      recall(cursor_.unsigned_number(4));
      return true;
    default:
      return false;
  }
}

void PickleMachine::memoize(std::uint64_t index) {
  if (memo_.size() >= kMaxNodes) reject("more than a million values");
  memo_[index] = top();
}

void PickleMachine::recall(std::uint64_t index) {
  const auto found = memo_.find(index);
  if (found == memo_.end()) reject(cat("it recalls value ", index, ", which it never kept"));
  push_existing(found->second);
}

bool PickleMachine::do_call(unsigned char op) {
  switch (op) {
    case 'c': {
      const std::string module = cursor_.line();
      find_callable(module, cursor_.line());
      return true;
    }
    case 0x93:
      find_callable_on_stack();
      return true;
    case 'R':
      reduce();
      return true;
    case 'b':
      build();
      return true;
    case 'Q': {
      const PickleNode* id = pop();
      push({storage_of(*id, [this](const std::string& problem) { reject(problem); })});
      return true;
    }
    default:
      return false;
  }
}

void PickleMachine::find_callable(const std::string& module, const std::string& name) {
  const auto callable = known_callable(module, name);
  if (!callable) reject_callable(module, name);
  push({*callable});
}

void PickleMachine::find_callable_on_stack() {
  const auto words = pop_count(2);
  const auto* module = words[0]->as<std::string>();
  const auto* name = words[1]->as<std::string>();
  if (module == nullptr || name == nullptr) reject("a callable whose name is no text");
  find_callable(*module, *name);
}

void PickleMachine::reduce() {
  const auto parts = pop_count(2);
  const auto* callable = parts[0]->as<PickleGlobal>();
  const auto* arguments = parts[1]->as<PickleTuple>();
  if (callable == nullptr) reject(cat("a call of ", kind_of(*parts[0])));
  if (arguments == nullptr) reject(cat("a call with ", kind_of(*parts[1])));
  push(result_of(*callable, *arguments, [this](const std::string& problem) { reject(problem); }));
}

/// Attributes: an OrderedDict has them from a state_dict (_metadata); they say nothing of weights.
void PickleMachine::build() {
  const PickleNode* attributes = pop();
  if (!top()->as<PickleDict>() || !attributes->as<PickleDict>()) {
    reject(cat("attributes are given to ", kind_of(*top())));
  }
}

void PickleMachine::check_protocol() {
  if (cursor_.take(1)[0] != '\x80') reject("it does not begin as protocols 2 to 5 do");
  const std::uint64_t protocol = cursor_.unsigned_number(1);
  if (protocol < 2 || protocol > 5) reject(cat("protocol ", protocol, " instead of 2 to 5"));
}

PickleDocument PickleMachine::run() {
  if (cursor_.left() > kMaxPickle_bytes) reject("it is larger than 16 MiB");
  check_protocol();
  while (true) {
    const unsigned char op = cursor_.instruction();
    if (op == '.') break;
    if (op == 0x95) {  // a frame's length, which only helps to read ahead
      if (cursor_.unsigned_number(8) > cursor_.left()) reject("a frame goes beyond its end");
      continue;
    }
    const bool known = do_constant(op) || do_number(op) || do_text(op) || do_tuple(op) ||
                       do_container(op) || do_memo(op) || do_call(op);
    if (!known) reject(cat("instruction ", int{op}, ", which weights do not need,"));
  }
  document_.root = pop();
  document_.size_bytes = cursor_.place();
  if (!stack_.empty() || !marks_.empty()) reject("values are left over");
  return std::move(document_);
}

}  // namespace

PickleDocument read_pickle(std::string_view bytes, const std::string& where) {
  return PickleMachine(bytes, where).run();
}

}  // namespace effuse

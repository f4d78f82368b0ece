#include "exchange/pickle_reader.hpp"

#include <gtest/gtest.h>

#include <string>

#include "core/error.hpp"
#include "pickle_text.hpp"
#include "support/error_message.hpp"

namespace effuse {
namespace {

using namespace std::string_literals;

/// What is wrong with a pickle of this value, without the beginning and end that all messages have.
std::string complaint_about_bytes(const std::string& bytes) {
  std::string message = message_of<CheckpointError>([&] { read_pickle(bytes, "f"); });
  const std::string begin = "f is no pickle of weights: ";
  const std::string end = " (nothing in the file was executed)";
  EXPECT_TRUE(message.starts_with(begin) && message.ends_with(end)) << message;
  message = message.substr(0, message.size() - end.size());
  return message.substr(begin.size(), message.rfind(" at byte ") - begin.size());
}

std::string complaint(const std::string& value) {
  return complaint_about_bytes(pickle::whole(value));
}

/// A copy; what a container refers to is gone with the document.
template <class T>
T value_of(const std::string& value) {
  const PickleDocument document = read_pickle(pickle::whole(value), "f");
  const T* found = document.root->as<T>();
  if (found == nullptr) {
    ADD_FAILURE() << "it is " << kind_of(*document.root);
    return T();
  }
  return *found;
}

TEST(Pickle, HasNumbersOfAllSizes) {
  EXPECT_EQ(value_of<std::int64_t>("K\xff"), 255);
  EXPECT_EQ(value_of<std::int64_t>("M\xff\xff"), 65535);
  EXPECT_EQ(value_of<std::int64_t>("J\xfe\xff\xff\xff"), -2);
  EXPECT_EQ(value_of<std::int64_t>("\x8a\x00"s), 0);
  EXPECT_EQ(value_of<std::int64_t>("\x8a\x01\x80"), -128);
  EXPECT_EQ(value_of<std::int64_t>("\x8a\x02\xff\x00"s), 255);
  EXPECT_EQ(value_of<std::int64_t>("\x8a\x08" + pickle::number(1ULL << 63, 8)), INT64_MIN);
  EXPECT_EQ(value_of<std::int64_t>("\x8b\x01\x00\x00\x00\x07"s), 7);
  EXPECT_EQ(value_of<double>("G\x3f\xf8\x00\x00\x00\x00\x00\x00"s), 1.5);
  EXPECT_TRUE(value_of<bool>("\x88"));
  EXPECT_FALSE(value_of<bool>("\x89"));
}

TEST(Pickle, HasTextAndBytesOfAllLengths) {
  EXPECT_EQ(value_of<std::string>("X\x02\x00\x00\x00hi"s), "hi");
  EXPECT_EQ(value_of<std::string>("\x8c\x02hi"), "hi");
  EXPECT_EQ(value_of<std::string>("\x8d\x02\x00\x00\x00\x00\x00\x00\x00hi"s), "hi");
  EXPECT_EQ(value_of<PickleBytes>("C\x02hi").bytes, "hi");
  EXPECT_EQ(value_of<PickleBytes>("B\x02\x00\x00\x00hi"s).bytes, "hi");
  EXPECT_EQ(value_of<PickleBytes>("U\x02hi").bytes, "hi");
}

TEST(Pickle, HasContainers) {
  EXPECT_EQ(value_of<PickleTuple>(")").items.size(), 0u);
  EXPECT_EQ(value_of<PickleTuple>("NN\x86").items.size(), 2u);
  EXPECT_EQ(value_of<PickleTuple>("(NNNNt").items.size(), 4u);
  EXPECT_EQ(value_of<PickleList>("](NNe").items.size(), 2u);
  EXPECT_EQ(value_of<PickleList>("]Na").items.size(), 1u);
  EXPECT_EQ(value_of<PickleDict>("}K\x01Ns").items.size(), 1u);
  EXPECT_EQ(value_of<PickleList>("]N0").items.size(), 0u);
  EXPECT_EQ(value_of<PickleList>("](NN1").items.size(), 0u);
}

TEST(Pickle, RecallsWhatItKept) {
  const PickleDocument document = read_pickle(pickle::whole("K\x05q\x07h\x07\x86"), "f");
  EXPECT_EQ(*document.root->as<PickleTuple>()->items[1]->as<std::int64_t>(), 5);
  EXPECT_EQ(value_of<PickleTuple>("K\x05\x94h\x00\x86"s).items.size(), 2u);
  EXPECT_EQ(value_of<PickleTuple>("K\x05r\x07\x00\x00\x00j\x07\x00\x00\x00\x86"s).items.size(), 2u);
}

TEST(Pickle, TakesTheLastValueOfAKey) {
  const PickleDocument document =
      read_pickle(pickle::whole(pickle::dict(pickle::text("a") + "K\x01" + pickle::text("a") +
                                             "K\x02" + pickle::text("b") + "N")),
                  "f");
  const auto& dict = *document.root->as<PickleDict>();
  EXPECT_EQ(*find(dict, "a")->as<std::int64_t>(), 2);
  EXPECT_EQ(find(dict, "c"), nullptr);
}

TEST(Pickle, KnowsTensorsParametersAndOrderedDicts) {
  const std::string tensor = pickle::tensor(pickle::storage("HalfStorage", "4", 6), 2, {2}, {1});
  const auto read = value_of<PickleTensor>(tensor);
  EXPECT_EQ(read.storage.key, "4");
  EXPECT_EQ(read.storage.type, c10::ScalarType::Half);
  EXPECT_EQ(read.storage.count, 6);
  EXPECT_EQ(read.offset, 2);
  EXPECT_EQ(read.sizes, std::vector<std::int64_t>{2});
  const std::string parameter = pickle::global("torch._utils", "_rebuild_parameter") +
                                pickle::tuple(tensor + "\x88" + "}") + "R";
  EXPECT_EQ(value_of<PickleTensor>(parameter).offset, 2);
  const std::string ordered = pickle::global("collections", "OrderedDict") + ")R";
  EXPECT_EQ(value_of<PickleDict>(ordered + "}b").items.size(), 0u) << "attributes are passed over";
}

TEST(Pickle, NamesACallableThatItDoesNotKnowAndDoesNothing) {
  for (const std::string& value :
       {pickle::global("posix", "system") + pickle::tuple(pickle::text("true")) + "R",
        "\x8c\x05posix\x8c\x06system\x93"s, pickle::global("posix", "system")}) {
    EXPECT_NE(message_of<CheckpointError>([&] {
                read_pickle(pickle::whole(value), "f");
              }).find("f names the callable posix.system, which weights do not need"),
              std::string::npos);
  }
  for (const char* name : {"_rebuild_tensor", "_rebuild_qtensor", "_rebuild_tensor_v2.x"}) {
    EXPECT_NE(message_of<CheckpointError>([&] {
                read_pickle(pickle::whole(pickle::global("torch._utils", name)), "f");
              }).find("nothing in it was executed"),
              std::string::npos);
  }
}

TEST(Pickle, CallsNothingElse) {
  const std::string ordered = pickle::global("collections", "OrderedDict");
  EXPECT_EQ(complaint("N)R"), "a call of None");
  EXPECT_EQ(complaint(ordered + "NR"), "a call with None");
  EXPECT_EQ(complaint(ordered + "N\x85R"),
            "a call of collections.OrderedDict in a way that weights do not need");
  EXPECT_EQ(complaint(pickle::global("torch", "FloatStorage") + ")R"),
            "a call of torch.FloatStorage in a way that weights do not need");
  EXPECT_EQ(complaint("NN\x93"), "a callable whose name is no text");
  EXPECT_EQ(complaint("]}b"), "attributes are given to a list");
  EXPECT_EQ(complaint("}Nb"), "attributes are given to a dict");
}

TEST(Pickle, RefusesInstructionsThatWeightsDoNotNeed) {
  for (const char op : "\x81\x92i\x6f\x82\x83\x84P\x96\x8f\x90\x91SVIFLdl2\xff"s) {
    EXPECT_EQ(complaint("NN"s + op + "aaaa\nbbbb\n"),
              "instruction " + std::to_string(static_cast<unsigned char>(op)) +
                  ", which weights do not need,");
  }
}

TEST(Pickle, RefusesTensorsThatAreNone) {
  const std::string rebuild = pickle::global("torch._utils", "_rebuild_tensor_v2");
  EXPECT_EQ(complaint(rebuild + ")R"), "a tensor without its six parts");
  EXPECT_EQ(complaint(rebuild + "(NNNNNNtR"),
            "a tensor whose storage, offset, sizes or strides are something else");
  EXPECT_EQ(complaint(pickle::global("torch._utils", "_rebuild_parameter") + "(NNNtR"),
            "a parameter without its tensor");
  EXPECT_EQ(complaint("NQ"), "a persistent id that is no storage");
  EXPECT_EQ(complaint("(NNNNNtQ"), "a persistent id that is no storage of a known type");
  EXPECT_EQ(complaint(pickle::tuple(pickle::text("storage") +
                                    pickle::global("collections", "OrderedDict") +
                                    pickle::text("0") + pickle::text("cpu") + "K\x01") +
                      "Q"),
            "a persistent id that is no storage of a known type");
}

TEST(Pickle, TakesNothingFromBelowTheStack) {
  for (const char* value : {"", "0", "\x85", "(\x85", "a", "]a", "s", "}Ns", "R", "b", "Q", "\x93",
                            "q\x01", "N(0", "N(q\x01"}) {
    EXPECT_EQ(complaint(value), "it takes a value that is not there") << value;
  }
  for (const char* value : {"t", "e", "u", "1"}) {
    EXPECT_EQ(complaint(value), "it goes back to a mark that is not there");
  }
  EXPECT_EQ(complaint("NN"), "values are left over");
  EXPECT_EQ(complaint("(N"), "values are left over");
  EXPECT_EQ(complaint("h\x01"), "it recalls value 1, which it never kept");
}

TEST(Pickle, RefusesKeysAndItemsInWrongPlaces) {
  EXPECT_EQ(complaint("}]Ns"), "a key that is a list");
  EXPECT_EQ(complaint("}}Ns"), "a key that is a dict");
  EXPECT_EQ(complaint("}NNs"), "a key that is None");
  EXPECT_EQ(complaint("](NNu"), "a key is set in a list");
  EXPECT_EQ(complaint("}(Nu"), "a key without a value");
  EXPECT_EQ(complaint("}(Ne"), "an item is appended to a dict");
}

TEST(Pickle, RefusesNumbersAndLengthsBeyondIt) {
  EXPECT_EQ(complaint("\x8a\x09" + std::string(9, '\1')), "an integer of more than 64 bits");
  EXPECT_EQ(complaint("\x8b\xff\xff\xff\xff"), "an integer of more than 64 bits");
  EXPECT_EQ(complaint("X\xff\xff\xff\xff"), "it ends in the middle of an instruction");
  EXPECT_EQ(complaint("\x8d\xff\xff\xff\xff\xff\xff\xff\xff"),
            "it ends in the middle of an instruction");
  EXPECT_EQ(complaint("\x95\xff\xff\xff\xff\xff\xff\xff\xff"), "a frame goes beyond its end");
  EXPECT_EQ(complaint("cposix"), "it ends in the middle of a name");
}

TEST(Pickle, RefusesOtherProtocolsAndPiecesOfOne) {
  EXPECT_EQ(complaint_about_bytes(""), "it ends in the middle of an instruction");
  EXPECT_EQ(complaint_about_bytes("(lp0\n."), "it does not begin as protocols 2 to 5 do");
  EXPECT_EQ(complaint_about_bytes("\x80\x01N."), "protocol 1 instead of 2 to 5");
  EXPECT_EQ(complaint_about_bytes("\x80\x06N."), "protocol 6 instead of 2 to 5");
  EXPECT_EQ(complaint_about_bytes("\x80\x02N"), "it ends in the middle of an instruction");
}

TEST(Pickle, IsNeitherDeepNorLargeEnoughToHurt) {
  constexpr std::size_t kMany = 1'000'001;
  EXPECT_EQ(complaint(std::string(kMany, ']')), "more than a million values");
  EXPECT_EQ(complaint(std::string(kMany, '(')), "more than a million marks");
  EXPECT_EQ(complaint("Nq\x01"s +
                      [] {
                        std::string recalls;
                        for (std::size_t i = 0; i < kMany; ++i) recalls += "h\x01";
                        return recalls;
                      }()),
            "more than a million values");
  EXPECT_EQ(complaint(std::string(17 << 20, '(')), "it is larger than 16 MiB");
  std::string deep = std::string(900'000, ']') + std::string(899'999, 'a');
  EXPECT_EQ(value_of<PickleList>(deep).items.size(), 1u) << "nested 900,000 deep";
  EXPECT_EQ(value_of<PickleList>("]q\x01h\x01\x61").items.size(), 1u) << "a list in itself";
}

}  // namespace
}  // namespace effuse

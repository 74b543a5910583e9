using System.Collections.Concurrent;
using System.Text;
using Epcis.Formats;
using Epcis.Formats.JsonLd;
using Epcis.Tests.Formats.JsonLd;
using Epcis.Tests.Schemas;

namespace Epcis.Tests.Formats;

/// <summary>
/// Bytes of real documents of all forms, damaged at random from a seed, as a broken line or an attacker would: whatever comes,
/// the readers answer with findings and throw nothing.
/// </summary>
public class HostileBytesTests
{
    private const int Seed = 20260103;

    // What parsers trip over, put where it does not belong.
    private static readonly byte[][] s_tokens = [.. new[]
    {
        "<!DOCTYPE a [<!ENTITY b 'c'>]>", "<!DOCTYPE a SYSTEM 'http://127.0.0.1:9/x'>", "&b;", "&#0;", "&#xD800;", "&#x10FFFF;", "<![CDATA[", "]]>", "<!--", "-->", "<?xml version='1.0'?>",
        "<?xml version='1.1'?>", "<?xml version='1.0' encoding='utf-7'?>", "<?a b?>", "<", ">", "/>", "</", "'", "\"", " xmlns='urn:epcglobal:epcis:xsd:2'", " xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' xsi:nil='perhaps'",
        " xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' xsi:nil='true'", " xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' xsi:type='a:b'", " xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' xsi:schemaLocation='urn:epcglobal:epcis:xsd:2 http://127.0.0.1:9/x.xsd'",
        " xml:base='http://127.0.0.1:9/'", " xml:space='none'", " xml:lang=''", "<extension>", "</extension>", "<ObjectEvent>", "<quantity/>", "xmlns:a=''", "<a:b/>", "{", "}", "[", "]", ",", ":", "\\", "\\u0000", "\\ud800", "\\udc00", "\\u0022",
        "\"@context\":", "\"@context\":[]", "\"type\":\"ObjectEvent\",", "\"type\":null,", "\"epcisBody\":{},", "\"eventList\":[[]],", "null", "true", "1e999", "-", "-0", "1.", "1e-400", "99999999999999999999999999999999", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:60Z",
        "2026-01-01T00:00:00.99999999999999999999Z", "\0", "\uFEFF", "\u2028", "%", "%2", "urn:", "urn:epc:id:sgtin:", "https://id.gs1.org/01/",
    }.Select(Encoding.UTF8.GetBytes), [0xFF], [0xFE, 0xFF], [0xFF, 0xFE], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0x00, 0x3C], [0xEF, 0xBB]];

    [Fact]
    public void No_damage_to_any_document_is_thrown_back()
    {
        var count = Mutations.Of(200_000, full: 1_000_000);
        var corpus = Corpus();
        var thrown = new ConcurrentQueue<string>();
        var broken = 0;
        var faulty = 0;

        Parallel.For(0, count, (i, state) =>
        {
            var bytes = Damage(corpus, new Random(Seed + i));
            try
            {
                var (isBroken, hasErrors) = Read(bytes, i);
                Interlocked.Add(ref broken, isBroken ? 1 : 0);
                Interlocked.Add(ref faulty, hasErrors ? 1 : 0);
            }
            catch (Exception e)
            {
                thrown.Enqueue($"{i}: {e}\n{Convert.ToBase64String(bytes)}");
                if (thrown.Count > 5)
                {
                    state.Stop();
                }
            }
        });

        Assert.True(thrown.IsEmpty, string.Join("\n\n", thrown));
        // Damage that always breaks the text would never reach what lies behind the parsers.
        Assert.InRange(broken, count / 10, count * 9 / 10);
        Assert.InRange(faulty, broken + (count / 20), count);
    }

    private static (bool IsBroken, bool HasErrors) Read(byte[] bytes, int i)
    {
        using var stream = i % 7 == 0 ? new DrippingStream(bytes, canSeek: i % 2 == 0) : new MemoryStream(bytes);
        using var reader = i % 5 == 0 && bytes.AsSpan().TrimStart(" \r\n\t"u8) is [(byte)'{', ..]
            ? JsonEpcisReader.ReadBareEvent(stream, ReaderLimits.Default)
            : EpcisDocument.Open(stream, ReaderLimits.Default);
        while (reader.Read())
        {
            Assert.NotNull(reader.Current);
        }
        Assert.True(!reader.IsBroken || reader.Findings.HasErrors, "Broken without a finding.");
        Assert.All(reader.Findings.All, f => Assert.True(f.Code.Length > 0 && f.Message.Length is > 0 and < 5000));
        _ = reader.Header;
        return (reader.IsBroken, reader.Findings.HasErrors);
    }

    /// <summary>Small documents of all forms; those beside the repository when they are there, and the seeds of the schema tests.</summary>
    private static List<byte[]> Corpus()
    {
        var corpus = JsonSeeds.All().Select(s => s.Document.ToString())
            .Concat(SeedDocuments.For(DocumentForm.Xml12).Concat(SeedDocuments.For(DocumentForm.Xml20)).Select(s => s.Document.ToString()))
            .Select(Encoding.UTF8.GetBytes).ToList();
        if (SharedFiles.Root is { } shared)
        {
            corpus.AddRange(Directory.EnumerateFiles(Path.Combine(shared, "standards", "examples"), "*", SearchOption.AllDirectories)
                .Where(f => Path.GetExtension(f) is ".xml" or ".json" or ".jsonld" && new FileInfo(f).Length < 12_000)
                .Order(StringComparer.Ordinal).Select(File.ReadAllBytes));
        }
        return corpus;
    }

    private static byte[] Damage(List<byte[]> corpus, Random random)
    {
        var bytes = corpus[random.Next(corpus.Count)].ToList();
        for (var left = random.Next(1, 5); left > 0; left--)
        {
            var at = random.Next(bytes.Count + 1);
            var length = Math.Min(random.Next(1, random.Next(1, 200)), bytes.Count - at);
            switch (random.Next(10))
            {
                case 0 or 1 when at < bytes.Count:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 2 when at < bytes.Count:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 3:
                    bytes.RemoveRange(at, length);
                    break;
                case 4:
                    bytes.InsertRange(random.Next(bytes.Count + 1), bytes.GetRange(at, length));
                    break;
                case 5 or 6:
                    bytes.InsertRange(at, s_tokens[random.Next(s_tokens.Length)]);
                    break;
                case 7:
                    // The end of another document on the beginning of this one.
                    var other = corpus[random.Next(corpus.Count)];
                    var from = random.Next(other.Length);
                    bytes.RemoveRange(at, bytes.Count - at);
                    bytes.AddRange(other.AsSpan(from, Math.Min(other.Length - from, 4000)));
                    break;
                case 8 when random.Next(3) == 0:
                    bytes.RemoveRange(at, bytes.Count - at);
                    break;
                case 8:
                    // A piece of another within this one.
                    var lender = corpus[random.Next(corpus.Count)];
                    var start = random.Next(lender.Length);
                    bytes.InsertRange(at, lender.AsSpan(start, Math.Min(lender.Length - start, 200)).ToArray());
                    break;
                default:
                    Exchange(bytes, at, length, random);
                    break;
            }
        }
        return [.. bytes];
    }

    /// <summary>Puts a quoted text in the place of another, which keeps the document whole and makes its values strange.</summary>
    private static void Exchange(List<byte> bytes, int at, int length, Random random)
    {
        var open = bytes.IndexOf((byte)'"', at);
        var close = open < 0 ? -1 : bytes.IndexOf((byte)'"', open + 1);
        if (close < 0)
        {
            return;
        }
        bytes.RemoveRange(open + 1, close - open - 1);
        bytes.InsertRange(open + 1, length < 20 ? [] : s_tokens[random.Next(s_tokens.Length)]);
    }
}

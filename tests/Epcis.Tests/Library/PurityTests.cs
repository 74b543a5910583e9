using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

namespace Epcis.Tests.Library;

/// <summary>
/// The library does no I/O and asks neither clock nor chance. The compiled assembly tells it: whatever it calls outside itself
/// is listed in its metadata, however the sources spell it.
/// </summary>
public sealed class PurityTests
{
    private static readonly string[] s_foreignNamespaces = ["System.Net", "System.Diagnostics.Process", "System.Data", "Microsoft"];

    private static readonly HashSet<string> s_foreignTypes =
    [
        "System.IO.File", "System.IO.FileInfo", "System.IO.FileStream", "System.IO.Directory", "System.IO.DirectoryInfo", "System.IO.RandomAccess", "System.IO.StreamReader",
        "System.Console", "System.Random", "System.TimeProvider", "System.Diagnostics.Stopwatch", "System.Diagnostics.Process", "System.Threading.Timer", "System.Threading.Thread",
        "System.Security.Cryptography.RandomNumberGenerator", "System.Xml.XmlUrlResolver", "System.TimeZoneInfo",
    ];

    private static readonly HashSet<string> s_foreignMembers =
    [
        "System.DateTime.get_Now", "System.DateTime.get_UtcNow", "System.DateTime.get_Today", "System.DateTimeOffset.get_Now", "System.DateTimeOffset.get_UtcNow",
        "System.Guid.NewGuid", "System.Guid.CreateVersion7", "System.Threading.Tasks.Task.Delay", "System.Threading.Tasks.Task.Run", "System.IO.Path.GetTempFileName",
    ];

    [Fact]
    public void The_library_touches_no_file_network_clock_chance_or_environment()
    {
        using var assembly = new PEReader(File.OpenRead(typeof(Finding).Assembly.Location));
        var metadata = assembly.GetMetadataReader();
        var used = metadata.TypeReferences.Select(t => NameOf(metadata, t)).Concat(metadata.MemberReferences.Select(m => NameOf(metadata, m))).OfType<string>().ToHashSet();
        Assert.Contains("System.DateTimeOffset", used);
        Assert.Equal([], used.Where(IsForeign).Order(StringComparer.Ordinal));
    }

    // An iterator asks which thread enumerates it: the compiler's doing, not ours.
    private static bool IsForeign(string name) =>
        s_foreignTypes.Contains(name) || s_foreignMembers.Contains(name)
        || name.StartsWith("System.Environment.", StringComparison.Ordinal) && name is not ("System.Environment.get_CurrentManagedThreadId" or "System.Environment.get_NewLine")
        || s_foreignNamespaces.Any(n => name.StartsWith(n + ".", StringComparison.Ordinal));

    private static string NameOf(MetadataReader metadata, TypeReferenceHandle handle)
    {
        var type = metadata.GetTypeReference(handle);
        return $"{metadata.GetString(type.Namespace)}.{metadata.GetString(type.Name)}";
    }

    private static string? NameOf(MetadataReader metadata, MemberReferenceHandle handle)
    {
        var member = metadata.GetMemberReference(handle);
        return member.Parent.Kind == HandleKind.TypeReference ? $"{NameOf(metadata, (TypeReferenceHandle)member.Parent)}.{metadata.GetString(member.Name)}" : null;
    }
}

using System.Globalization;
using Gateway.Intake;

namespace Gateway.Tests.Intake;

/// <summary>Eight shapes of line data by eight mappings, each file with its exact result.</summary>
public sealed class LineFormatTests
{
    [Theory]
    [MemberData(nameof(LineFiles.All), MemberType = typeof(LineFiles))]
    public void A_file_gives_its_exact_result(string shape, string file)
    {
        var expected = LineFiles.Expected(shape, file);
        using var bytes = File.OpenRead(LineFiles.FileOf(shape, file));
        var receivedAt = DateTimeOffset.Parse((string)expected["receivedAt"]!, CultureInfo.InvariantCulture);
        var (result, errors) = IntakeDryRun.Run(LineFiles.MappingOf(shape), bytes, file, LineFiles.MasterData, receivedAt);
        Assert.Empty(errors);
        var differences = string.Join("\n", LineFiles.Differences(expected, LineFiles.Json(result!)));
        Assert.True(differences.Length == 0, differences);
    }
}

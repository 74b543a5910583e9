using System.Diagnostics;
using System.IO.Compression;
using System.Text.RegularExpressions;

namespace Epcis.Tests.Library;

/// <summary>
/// The library packed, and used by a program that has nothing but the package: the one of the package's own README. The sources
/// are copied to a folder of their own, so that packing leaves nothing in the repository.
/// </summary>
public sealed partial class PackageTests : IDisposable
{
    private static readonly string s_version = typeof(Finding).Assembly.GetName().Version!.ToString(3);

    private readonly string _root = Directory.CreateTempSubdirectory("epcis-package-").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public async Task The_same_sources_make_the_same_package_whichever_folder_they_stand_in()
    {
        var first = await PackAsync("one");
        var second = await PackAsync("another");
        Assert.Equal([$"Gateway.Epcis.{s_version}.nupkg", $"Gateway.Epcis.{s_version}.snupkg"], Directory.GetFiles(first).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        foreach (var package in Directory.GetFiles(first))
        {
            Assert.Equal(File.ReadAllBytes(package), File.ReadAllBytes(Path.Combine(second, Path.GetFileName(package))));
        }
        using var content = ZipFile.OpenRead(Path.Combine(first, $"Gateway.Epcis.{s_version}.nupkg"));
        Assert.Equal(["README.md", "lib/net10.0/Epcis.dll", "lib/net10.0/Epcis.xml"],
            content.Entries.Select(e => e.FullName).Where(n => n is "README.md" || n.Contains('/', StringComparison.Ordinal) && !n.StartsWith("_rels", StringComparison.Ordinal) && !n.StartsWith("package/", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
        using var nuspec = new StreamReader(content.GetEntry("Gateway.Epcis.nuspec")!.Open());
        var told = await nuspec.ReadToEndAsync(TestContext.Current.CancellationToken);
        Assert.Contains("<license type=\"expression\">Apache-2.0</license>", told, StringComparison.Ordinal);
        Assert.DoesNotContain("<dependency ", told, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_program_of_the_README_runs_on_the_package_alone()
    {
        var packages = await PackAsync("library");
        var folder = Directory.CreateDirectory(Path.Combine(_root, "stranger")).FullName;
        var program = Program().Match(await File.ReadAllTextAsync(Path.Combine(SharedFiles.Repository, "src", "Epcis", "README.md"), TestContext.Current.CancellationToken));
        await File.WriteAllTextAsync(Path.Combine(folder, "Program.cs"), program.Groups[1].Value, TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(Path.Combine(folder, "Stranger.csproj"), $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <OutputType>Exe</OutputType>
                <TargetFramework>net10.0</TargetFramework>
                <Nullable>enable</Nullable>
                <ImplicitUsings>enable</ImplicitUsings>
                <UseAppHost>false</UseAppHost>
                <TreatWarningsAsErrors>true</TreatWarningsAsErrors>
              </PropertyGroup>
              <ItemGroup>
                <PackageReference Include="Gateway.Epcis" Version="{s_version}" />
              </ItemGroup>
            </Project>
            """, TestContext.Current.CancellationToken);
        // No source but the folder, and no store of packages but its own: neither a network nor an earlier build can help.
        await File.WriteAllTextAsync(Path.Combine(folder, "nuget.config"), $"""
            <configuration>
              <config><add key="globalPackagesFolder" value="{Path.Combine(_root, "store")}" /></config>
              <packageSources><clear /><add key="packed" value="{packages}" /></packageSources>
            </configuration>
            """, TestContext.Current.CancellationToken);
        await DotnetAsync(folder, "build", "-c", "Release", "-o", "out", "-nodeReuse:false");

        var converted = Path.Combine(folder, "shipment.json");
        var said = await DotnetAsync(folder, Path.Combine("out", "Stranger.dll"), Path.Combine(SharedFiles.Repository, "samples", "dscsa-shipment.xml"), converted);

        Assert.Matches("ObjectEvent ni:///sha-256;[0-9a-f]{64}\\?ver=CBV2\\.0\n", said);
        Assert.DoesNotContain("Error ", said, StringComparison.Ordinal);
        Assert.StartsWith("{\"@context\"", await File.ReadAllTextAsync(converted, TestContext.Current.CancellationToken), StringComparison.Ordinal);

        var refused = await DotnetAsync(folder, Path.Combine("out", "Stranger.dll"), Path.Combine(SharedFiles.Repository, "samples", "refused-missing-parent.xml"), converted);
        Assert.Contains("Error EPCIS-AGG-01 at line ", refused, StringComparison.Ordinal);
    }

    private async Task<string> PackAsync(string name)
    {
        var folder = Path.Combine(_root, name);
        foreach (var file in Sources())
        {
            var copy = Path.Combine(folder, file);
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(Path.Combine(SharedFiles.Repository, file), copy);
        }
        await DotnetAsync(folder, "pack", "src/Epcis", "-c", "Release", "-o", "packed", "-nodeReuse:false");
        return Path.Combine(folder, "packed");
    }

    private static IEnumerable<string> Sources() =>
        new[] { "src/Epcis", "schemas" }.SelectMany(f => Directory.EnumerateFiles(Path.Combine(SharedFiles.Repository, f), "*", SearchOption.AllDirectories))
            .Select(f => Path.GetRelativePath(SharedFiles.Repository, f))
            .Where(f => !f.StartsWith("src/Epcis/bin/", StringComparison.Ordinal) && !f.StartsWith("src/Epcis/obj/", StringComparison.Ordinal))
            .Concat(["Directory.Build.props", "Directory.Packages.props", ".editorconfig"]);

    /// <returns>What the command wrote; a command that fails fails the test, unless it is the program itself.</returns>
    private static async Task<string> DotnetAsync(string folder, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", arguments) { WorkingDirectory = folder, RedirectStandardOutput = true };
        // What the surrounding test run sets is meant for it alone.
        foreach (var inherited in start.Environment.Keys.Where(k => k.StartsWith("MSBUILD", StringComparison.OrdinalIgnoreCase)).ToList())
        {
            start.Environment.Remove(inherited);
        }
        start.Environment.Remove("SOURCE_DATE_EPOCH");
        using var process = Process.Start(start)!;
        var said = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(process.ExitCode == 0 || arguments[0].EndsWith(".dll", StringComparison.Ordinal), said);
        Assert.DoesNotContain("warning ", said, StringComparison.Ordinal);
        return said;
    }

    [GeneratedRegex("```csharp\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Program();
}

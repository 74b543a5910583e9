using System.Text;
using Microsoft.Playwright;

namespace Gateway.Journeys.Dashboard;

/// <summary>The pages of master data: what is known, since when, and a file whose difference is seen before it is imported.</summary>
public sealed class MasterDataPagesTests
{
    private const string Unit = "09521234001010", Case = "59521234001015";

    [Fact]
    public async Task A_file_is_looked_at_imported_with_a_reason_and_its_product_tells_who_and_why()
    {
        await using var gateway = await TestGateway.StartAsync();
        await using var browser = await SignedInBrowser.OpenAsync(gateway, "officer");
        var page = browser.Page;
        await browser.GoAsync("masterdata");
        Assert.Equal("No master data are known yet.", await page.InnerTextAsync("h1"));
        await browser.AxeAsync("masterdata-empty");

        await ChooseAsync($"gtin,name,colour\n{Unit},Demozol,red\n");
        await page.GetByText("There is no column colour.").WaitForAsync();
        Assert.Contains("Line 1, column 3", await page.InnerTextAsync("#difference"), StringComparison.Ordinal);
        Assert.Equal(0, await page.GetByRole(AriaRole.Button, new() { Name = "Import…" }).CountAsync());
        await browser.AxeAsync("masterdata-fault");

        await ChooseAsync($"gtin,name,level,holds,quantity\n{Unit},Demozol,unit,,\n{Case},\"Demozol, case\",case,{Unit},5\n");
        await page.GetByText("2 records added").WaitForAsync();
        Assert.Equal(0L, await gateway.Database.ScalarAsync<long>("select count(*) from product"));
        await browser.AxeAsync("masterdata-difference");
        await page.GetByRole(AriaRole.Button, new() { Name = "Import…" }).ClickAsync();
        await page.FillAsync("#reason", "the first product");
        await page.GetByRole(AriaRole.Button, new() { Name = "Import", Exact = true }).ClickAsync();
        await page.GetByText("Done.", new() { Exact = true }).WaitForAsync();
        await page.GetByRole(AriaRole.Link, new() { Name = "Demozol, case" }).ClickAsync();
        await page.GetByText("Demozol, case is a case that holds 5 of Demozol.").WaitForAsync();
        Assert.Contains("the first product", await page.InnerTextAsync("main"), StringComparison.Ordinal);
        await browser.AxeAsync("masterdata-product");
        browser.NothingWentWrong();

        Task ChooseAsync(string file) => page.SetInputFilesAsync("#file", new FilePayload { Name = "products.csv", MimeType = "text/csv", Buffer = Encoding.UTF8.GetBytes(file) });
    }

    [Fact]
    public async Task Who_only_looks_sees_products_and_no_import()
    {
        await using var gateway = await TestGateway.StartAsync();
        await using var browser = await SignedInBrowser.OpenAsync(gateway, "operator");
        await browser.GoAsync("masterdata");
        Assert.Equal(0, await browser.Page.Locator("#file").CountAsync());
        browser.NothingWentWrong();
    }
}
